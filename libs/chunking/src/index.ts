export {
  type ChunkedDocument,
  type Coverage,
  chunkDocument,
} from "./chunk-document.js";
export { type ChunkEvent, type ChunkInputsOptions, chunkInputs } from "./chunk-inputs.js";
export { chunkerVersion } from "./chunk-metadata.js";
export type { ChunkDocumentOptions } from "./chunk-options.js";
