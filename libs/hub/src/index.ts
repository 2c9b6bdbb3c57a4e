export { byteSize } from "./byte-size.js";
export { type FileLockOptions, withFileLock } from "./file-lock.js";
export { fetchableExtensions, isFetchable, isSafeName } from "./file-names.js";
export { type CachedFile, RepositoryCache } from "./hub-cache.js";
export type { HubClientOptions } from "./hub-client.js";
export { HubError, type HubProblem } from "./hub-error.js";
export { hubCacheDir, hubToken } from "./hub-settings.js";
export { listRepository, type RepositoryListing } from "./list-repository.js";
export {
  type PulledFile,
  type PulledFiles,
  type PullOptions,
  type PullProgress,
  pullFiles,
  type WantedFile,
} from "./pull-files.js";
