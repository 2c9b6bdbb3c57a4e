export { type DenseTopKOptions, denseTopK } from "./dense-top-k.js";
export { inverseDocumentFrequency, type SparseTopKOptions, sparseTopK } from "./sparse-top-k.js";
export { NonFiniteScoreError, type ScoredRow, TopK } from "./top-k.js";
