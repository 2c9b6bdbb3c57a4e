export {
  type GraphModelEntry,
  hasGraph,
  inputText,
  type ModelEntry,
  type ModelEntryInput,
  type ModelFileSpec,
  modelEntrySchema,
  type OutputHeadKind,
  unpinned,
} from "./model-entry.js";
export {
  embeddedModelsDir,
  ModelFileError,
  modelDirectory,
  type VerifiedFile,
  type VerifiedModel,
  verifyModel,
} from "./model-files.js";
export { findModel, listModels, UnknownModelError } from "./model-registry.js";
export { choosePrecision, fastestPrecision, type Precision } from "./precision.js";
