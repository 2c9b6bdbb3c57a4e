export { type BuildHnswOptions, buildHnsw } from "./build-hnsw.js";
export type { HnswGraph } from "./hnsw-graph.js";
export { type HnswHit, searchHnsw } from "./search-hnsw.js";
export { VectorTable } from "./vector-table.js";
