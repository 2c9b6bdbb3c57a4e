import type { HnswGraph } from "./hnsw-graph.js";
import { LayerSearch } from "./layer-search.js";
import type { VectorTable } from "./vector-table.js";

/** A row of the table and its inner product with the query. */
export interface HnswHit {
  readonly row: number;
  readonly similarity: number;
}

/**
 * Searches a graph: algorithm 5 of Malkov and Yashunin. The result is approximate; the larger `ef`, the more of the true
 * neighbours are in it.
 * @param graph built over the same table.
 * @param query takes the table's place for a query; its length is the table's number of columns.
 * @param k how many rows, at most.
 * @param ef how many candidates to keep on the bottom layer; at least k are kept. @default 64
 * @returns the most similar rows first.
 * @throws RangeError when the query's length is another.
 */
export function searchHnsw(table: VectorTable, graph: HnswGraph, query: Float32Array, k: number, ef = 64): HnswHit[] {
  if (query.length !== table.columns)
    throw new RangeError(`the query has ${query.length} values; rows have ${table.columns}`);
  if (graph.entryPoint < 0) return [];
  table.set(table.queryRow, query);
  const search = new LayerSearch(graph, table);
  let start = graph.entryPoint;
  for (let layer = graph.maxLayer; layer > 0; layer--) start = search.descend(table.queryRow, start, layer);
  search.run(table.queryRow, start, Math.max(ef, k), 0);
  return Array.from({ length: Math.min(k, search.count) }, (_, i) => ({
    row: search.rows[i] as number,
    similarity: search.similarities[i] as number,
  }));
}
