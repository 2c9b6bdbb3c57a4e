export { type ChunkedDocument, Chunker, chunkDocument } from "./chunk-document.js";
export { type ChunkEvent, type ChunkFilesOptions, chunkFiles, chunkInputs } from "./chunk-inputs.js";
export { chunkerVersion, type ScoredChunk } from "./chunk-metadata.js";
export { type ChunkDocumentOptions, type ChunkStrategy, chunkStrategies } from "./chunk-options.js";
export type { EmbedTexts, TextVectors } from "./chunk-thread.js";
export {
  buildLedger,
  type CoreSpan,
  type Ledger,
  type LedgerCounts,
  LedgerError,
  type LedgerReason,
  sumLedgers,
} from "./ledger.js";
export { recordJson, type SerializedChunk } from "./serialized-chunk.js";
export type { TokenCounter } from "./token-index.js";
