import { setImmediate } from "node:timers/promises";
import { emptyGraph } from "./empty-graph.js";
import type { HnswGraph } from "./hnsw-graph.js";
import { LayerSearch } from "./layer-search.js";
import type { VectorTable } from "./vector-table.js";

/** How a graph is built. */
export interface BuildHnswOptions {
  /** Most links of a row on each layer above the bottom, at least 2; twice as many on the bottom. @default 32 */
  readonly m?: number;
  /** How many candidates are looked at for each row's links; more is slower and finds better ones. @default 200 */
  readonly efConstruction?: number;
  /** Decides which rows are on the higher layers. @default 1 */
  readonly seed?: number;
  /** Stops the work; its reason is thrown. @default never */
  readonly signal?: AbortSignal;
}

/** How long insertion may keep the thread from other work. */
const turnMs = 10;

/**
 * Builds a graph over all rows of a table, inserted in their order: algorithms 1, 3 and 4 of Malkov and Yashunin (2018),
 * https://arxiv.org/abs/1603.09320. The same table, options and seed give the same graph on every machine. Other work of the
 * thread gets its turn every 10 ms. Takes 8 bytes per link slot (2 m per row and a few more) beside the table.
 * @throws RangeError when an option is out of range; the signal's reason when it aborts.
 */
export async function buildHnsw(table: VectorTable, options: BuildHnswOptions = {}): Promise<HnswGraph> {
  const { m = 32, efConstruction = 200, seed = 1, signal } = options;
  if (!Number.isInteger(m) || m < 2 || m > 1024)
    throw new RangeError(`m is ${m}; it must be a whole number from 2 to 1024`);
  if (!Number.isInteger(efConstruction) || efConstruction < 1)
    throw new RangeError(`efConstruction is ${efConstruction}; it must be a whole number from 1`);
  const builder = new GraphBuilder(table, emptyGraph(table.rows, m, efConstruction, seed));
  let turnEnds = performance.now() + turnMs;
  for (let row = 0; row < table.rows; row++) {
    builder.insert(row);
    if (performance.now() < turnEnds) continue;
    await setImmediate();
    signal?.throwIfAborted();
    turnEnds = performance.now() + turnMs;
  }
  return builder.graph;
}

class GraphBuilder {
  readonly graph: { -readonly [K in keyof HnswGraph]: HnswGraph[K] };
  readonly #table: VectorTable;
  readonly #search: LayerSearch;
  /** What each link's two rows have in common, so that a full list need not be compared again with its owner. */
  readonly #similarities: Float32Array;
  /** Where in the candidates the chosen ones are. */
  readonly #chosen: Int32Array;
  /** A full list with one candidate more, sorted. */
  readonly #crowdedRows: Int32Array;
  readonly #crowdedSimilarities: Float32Array;

  constructor(table: VectorTable, graph: HnswGraph) {
    this.graph = { ...graph };
    this.#table = table;
    this.#search = new LayerSearch(graph, table);
    this.#similarities = new Float32Array(graph.neighbors.length);
    this.#chosen = new Int32Array(2 * graph.m);
    this.#crowdedRows = new Int32Array(2 * graph.m + 1);
    this.#crowdedSimilarities = new Float32Array(2 * graph.m + 1);
  }

  /** Algorithm 1. */
  insert(row: number): void {
    const { graph } = this;
    const top = (graph.levels[row] as number) - 1;
    let start = graph.entryPoint;
    if (start >= 0) {
      for (let layer = graph.maxLayer; layer > top; layer--) start = this.#search.descend(row, start, layer);
      for (let layer = Math.min(top, graph.maxLayer); layer >= 0; layer--) start = this.#link(row, start, layer);
    }
    if (top <= graph.maxLayer) return;
    graph.maxLayer = top;
    graph.entryPoint = row;
  }

  /** Links a new row on one layer, both ways. @returns the row most similar to it. */
  #link(row: number, start: number, layer: number): number {
    const { m, efConstruction, neighbors } = this.graph;
    const search = this.#search;
    search.run(row, start, efConstruction, layer);
    const count = this.#select(search.rows, search.similarities, search.count, m);
    const slots = this.#slots(row, layer);
    for (let i = 0; i < count; i++) {
      const at = this.#chosen[i] as number;
      neighbors[slots + i] = search.rows[at] as number;
      this.#similarities[slots + i] = search.similarities[at] as number;
    }
    for (let i = 0; i < count; i++)
      this.#addLink(neighbors[slots + i] as number, row, this.#similarities[slots + i] as number, layer);
    return search.rows[0] as number;
  }

  /** Adds a link to a row's list; a list that is full is chosen anew. */
  #addLink(owner: number, row: number, similarity: number, layer: number): void {
    const { slotsBelow, neighbors } = this.graph;
    const slots = this.#slots(owner, layer);
    const most = (slotsBelow[layer + 1] as number) - (slotsBelow[layer] as number);
    let count = 0;
    while (count < most && (neighbors[slots + count] as number) >= 0) count++;
    if (count < most) {
      neighbors[slots + count] = row;
      this.#similarities[slots + count] = similarity;
      return;
    }
    this.#crowd(slots, most, row, similarity);
    const kept = this.#select(this.#crowdedRows, this.#crowdedSimilarities, most + 1, most);
    for (let i = 0; i < most; i++) {
      const at = this.#chosen[i] as number;
      neighbors[slots + i] = i < kept ? (this.#crowdedRows[at] as number) : -1;
      if (i < kept) this.#similarities[slots + i] = this.#crowdedSimilarities[at] as number;
    }
  }

  /** Sorts a full list and one row more, the most similar first; of equals the older link is first. */
  #crowd(slots: number, most: number, row: number, similarity: number): void {
    const rows = this.#crowdedRows;
    const similarities = this.#crowdedSimilarities;
    for (let i = 0; i <= most; i++) {
      const key = i < most ? (this.#similarities[slots + i] as number) : similarity;
      let at = i;
      for (; at > 0 && (similarities[at - 1] as number) < key; at--) {
        similarities[at] = similarities[at - 1] as number;
        rows[at] = rows[at - 1] as number;
      }
      similarities[at] = key;
      rows[at] = i < most ? (this.graph.neighbors[slots + i] as number) : row;
    }
  }

  /**
   * Algorithm 4, without extension and without keeping what was pruned: of the candidates, most similar first, those that
   * are no closer to one already chosen than to the row itself. So links lead in different directions.
   * @returns how many; their positions are in #chosen.
   */
  #select(rows: Int32Array, similarities: Float32Array, count: number, most: number): number {
    const chosen = this.#chosen;
    let kept = 0;
    for (let at = 0; at < count && kept < most; at++) {
      const row = rows[at] as number;
      const similarity = similarities[at] as number;
      let apart = true;
      for (let i = 0; i < kept && apart; i++)
        apart = this.#table.similarity(row, rows[chosen[i] as number] as number) <= similarity;
      if (apart) chosen[kept++] = at;
    }
    return kept;
  }

  #slots(row: number, layer: number): number {
    return (this.graph.offsets[row] as number) + (this.graph.slotsBelow[layer] as number);
  }
}
