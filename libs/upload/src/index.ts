export type { CollectionSchema } from "./collection-schema.js";
export type { UploadRetry } from "./qdrant-connection.js";
export { UploadError, type UploadErrorReason } from "./upload-error.js";
export { type UploadOptions, type UploadProgress, type UploadReport, uploadRun } from "./upload-run.js";
