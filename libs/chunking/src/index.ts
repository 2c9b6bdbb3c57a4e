export type { Block, BlockKind } from "./block.js";
export {
  type ChunkedDocument,
  type Coverage,
  chunkDocument,
} from "./chunk-document.js";
export { type ChunkEvent, type ChunkInputsOptions, chunkInputs } from "./chunk-inputs.js";
export { chunkerVersion } from "./chunk-metadata.js";
export type { ChunkDocumentOptions } from "./chunk-options.js";
export { DocumentError, type DocumentErrorReason } from "./document-error.js";
export { type FoundDocument, type FoundDocuments, findDocuments, type SkippedDocument } from "./find-documents.js";
export {
  type DocumentFormat,
  parseDocument,
  type ReadOptions,
  readDocument,
  type SourceDocument,
  supportedExtensions,
} from "./source-document.js";
