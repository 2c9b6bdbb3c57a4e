export {
  type GraphModelEntry,
  hasGraph,
  inputText,
  type ModelEntry,
  type ModelEntryInput,
  type ModelFileSpec,
  modelEntrySchema,
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
export { ModelLockError, type ModelPin } from "./model-lock.js";
export { findModel, listModels, UnknownModelError, useModels } from "./model-registry.js";
export { type ModelSettings, modelSettings } from "./model-settings.js";
export {
  type HubModelEntry,
  isHubModel,
  ModelStore,
  type ModelStoreOptions,
  type OpenModelOptions,
  type StoreEvents,
} from "./model-store.js";
export { readModels } from "./parse-models.js";
export { choosePrecision, fastestPrecision, type Precision } from "./precision.js";
export { type ModelCardFiles, ProposalError, type ProposalInput, proposeEntry } from "./propose-entry.js";
