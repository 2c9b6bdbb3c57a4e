export { DenseIndex, type DenseIndexOptions } from "./dense-index.js";
export type { DenseSearchOptions } from "./dense-share.js";
export { type DenseTopKOptions, denseTopK } from "./dense-top-k.js";
export { type FieldColumn, FieldIndex, FieldIndexBuilder, type FieldValue } from "./field-index.js";
export { type Filter, FilterError, type FilterOperator, parseFilter } from "./filter.js";
export { InvertedIndex, type InvertedSearchOptions, type Postings, PostingsBuilder } from "./inverted-index.js";
export { SearchIndex, type SearchIndexOptions, type SearchOptions } from "./search-index.js";
export { inverseDocumentFrequency, type SparseTopKOptions, sparseTopK } from "./sparse-top-k.js";
export { NonFiniteScoreError, type ScoredRow, TopK } from "./top-k.js";
