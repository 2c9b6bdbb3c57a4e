import { RepositoryCache } from "./hub-cache.js";
import type { HubClientOptions } from "./hub-client.js";
import { HubError } from "./hub-error.js";
import { openClient } from "./open-client.js";
import { type RetryOptions, withRetries } from "./with-retries.js";

/** What there is in a repository at a commit. */
export interface RepositoryListing {
  readonly commit: string;
  readonly names: readonly string[];
  /** As the authors named it on the hub. */
  readonly license?: string;
}

/**
 * The files of a repository: as the hub has them, or offline those that are in the cache.
 * @throws HubError when the hub cannot tell, or nothing is in the cache.
 */
export async function listRepository(
  repository: string,
  revision: string,
  options: HubClientOptions & RetryOptions & { readonly cacheDir: string; readonly offline?: boolean },
): Promise<RepositoryListing> {
  const cache = new RepositoryCache(options.cacheDir, repository);
  if (!options.offline) {
    const client = await openClient(options);
    try {
      return await withRetries(repository, () => client.listFiles(repository, revision, options.signal), options);
    } finally {
      await client.close();
    }
  }
  const commit = await cache.resolveRevision(revision);
  const names = commit === undefined ? [] : await cache.list(commit);
  if (commit === undefined || names.length === 0)
    throw new HubError(
      "offline",
      `${repository} is not in the cache ${options.cacheDir}, and nothing may be downloaded`,
    );
  return { commit, names };
}
