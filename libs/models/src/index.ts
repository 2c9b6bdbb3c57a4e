export { type GraphModelEntry, hasGraph, type ModelEntry, type ModelFileSpec } from "./model-entry.js";
export { embeddedModelsDir, ModelFileError, type VerifiedModel, verifyModel } from "./model-files.js";
export { findModel, listModels, UnknownModelError } from "./model-registry.js";
export { fastestPrecision, type Precision } from "./precision.js";
