import type { HnswGraph } from "./hnsw-graph.js";
import { SimilarityHeap } from "./similarity-heap.js";
import type { VectorTable } from "./vector-table.js";

/** Searches the layers of a graph over a table; keeps its working memory from one search to the next. */
export class LayerSearch {
  /** Rows of the last search, most similar first; `count` of them. */
  rows = new Int32Array(0);
  similarities = new Float32Array(0);
  count = 0;
  readonly #graph: HnswGraph;
  readonly #table: VectorTable;
  /** The number of the search that saw each row last. */
  readonly #seen: Uint32Array;
  #search = 0;
  readonly #open = new SimilarityHeap();
  /** Keys are negative: the least similar row is on top. */
  readonly #found = new SimilarityHeap();

  constructor(graph: HnswGraph, table: VectorTable) {
    this.#graph = graph;
    this.#table = table;
    this.#seen = new Uint32Array(table.rows);
  }

  /** Goes from row to more similar row on a layer until there is none: algorithm 2 of Malkov and Yashunin with ef = 1. */
  descend(target: number, start: number, layer: number): number {
    const { offsets, slotsBelow, neighbors } = this.#graph;
    let best = start;
    let similarity = this.#table.similarity(target, start);
    for (let moved = true; moved; ) {
      moved = false;
      const from = offsets[best] as number;
      const end = from + (slotsBelow[layer + 1] as number);
      for (let at = from + (slotsBelow[layer] as number); at < end; at++) {
        const row = neighbors[at] as number;
        if (row < 0) break;
        const found = this.#table.similarity(target, row);
        // Not "<=": sums that overflow are NaN, which would be moved to again and again.
        if (!(found > similarity)) continue;
        similarity = found;
        best = row;
        moved = true;
      }
    }
    return best;
  }

  /**
   * Finds up to `ef` rows of a layer that are similar to a row of the table: algorithm 2 of Malkov and Yashunin,
   * "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World graphs" (2018),
   * https://arxiv.org/abs/1603.09320. They are in `rows` and `similarities` until the next search.
   */
  run(target: number, start: number, ef: number, layer: number): void {
    const { offsets, slotsBelow, neighbors } = this.#graph;
    const table = this.#table;
    const seen = this.#seen;
    const open = this.#open;
    const found = this.#found;
    const search = this.#nextSearch();
    open.clear();
    const startSimilarity = table.similarity(target, start);
    seen[start] = search;
    open.push(startSimilarity, start);
    found.push(-startSimilarity, start);
    while (open.size > 0 && open.topKey >= -found.topKey) {
      const from = offsets[open.pop()] as number;
      const end = from + (slotsBelow[layer + 1] as number);
      for (let at = from + (slotsBelow[layer] as number); at < end; at++) {
        const row = neighbors[at] as number;
        if (row < 0) break;
        if (seen[row] === search) continue;
        seen[row] = search;
        const similarity = table.similarity(target, row);
        if (found.size === ef) {
          if (!(similarity > -found.topKey)) continue;
          found.pop();
        }
        open.push(similarity, row);
        found.push(-similarity, row);
      }
    }
    this.#drain();
  }

  /** Takes what was found in order, the least similar first. */
  #drain(): void {
    const found = this.#found;
    this.count = found.size;
    if (this.rows.length < found.size) {
      this.rows = new Int32Array(2 * found.size);
      this.similarities = new Float32Array(2 * found.size);
    }
    for (let at = found.size - 1; at >= 0; at--) {
      this.similarities[at] = -found.topKey;
      this.rows[at] = found.pop();
    }
  }

  #nextSearch(): number {
    if (this.#search === 2 ** 32 - 1) {
      this.#seen.fill(0);
      this.#search = 0;
    }
    return ++this.#search;
  }
}
