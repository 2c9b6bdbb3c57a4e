import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { byteSize } from "./byte-size.js";
import { explainDiskError } from "./disk-problem.js";
import { type DownloadOptions, downloadFile } from "./download-file.js";
import { type FileDigest, fileDigest, matchesEtag } from "./file-digest.js";
import { withFileLock } from "./file-lock.js";
import { fetchableExtensions, isFetchable, isSafeName } from "./file-names.js";
import { type CachedFile, RepositoryCache } from "./hub-cache.js";
import type { HubClient, HubClientOptions, RemoteFile } from "./hub-client.js";
import { HubError } from "./hub-error.js";
import { openClient } from "./open-client.js";
import { partialBytes } from "./partial-file.js";
import { withRetries } from "./with-retries.js";

/** A file that is wanted. */
export interface WantedFile {
  /** Path in the repository, with forward slashes. */
  readonly name: string;
  /** Size that it must have. @default whatever the hub says */
  readonly bytes?: number | undefined;
  /** SHA-256 that it must have. @default whatever comes */
  readonly sha256?: string | undefined;
}

/** How far a pull is. */
export interface PullProgress {
  readonly repository: string;
  /** Bytes of all wanted files that are here, and all that there are. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What {@link pullFiles} needs to know. */
export interface PullOptions extends HubClientOptions, DownloadOptions {
  readonly repository: string;
  /** A commit, or the name of a branch or tag. */
  readonly revision: string;
  readonly files: readonly WantedFile[];
  /** Folder of the hub's cache. */
  readonly cacheDir: string;
  /** Opens no connection at all. @default false */
  readonly offline?: boolean;
  /** Fetches also what is here. @default false */
  readonly refresh?: boolean;
  /** Asks the hub what a branch stands for, also where that is known here. @default false */
  readonly revalidate?: boolean;
  /** Told of bytes that came or were found, while files are fetched. */
  readonly onProgress?: (progress: PullProgress) => void;
  /** Told when another process is fetching files of the same repository; this one waits for it. */
  readonly onWait?: () => void;
  /** Milliseconds without a sign of life after which that other process counts as dead. @default 10000 */
  readonly staleLockMs?: number;
  /** Bytes that are free on the cache's disk. @default what the system says */
  readonly freeBytes?: (directory: string) => Promise<number>;
}

/** A file that is here, with bytes that were compared with what they should be. */
export interface PulledFile extends FileDigest {
  readonly name: string;
  readonly path: string;
  /** Whether it was fetched now. */
  readonly fetched: boolean;
}

/** The outcome of {@link pullFiles}. */
export interface PulledFiles {
  readonly commit: string;
  readonly files: readonly PulledFile[];
}

function assertFetchable(repository: string, name: string): void {
  if (!isSafeName(name)) throw new HubError("refused", `${repository}: "${name}" is no path below a repository`);
  if (!isFetchable(name))
    throw new HubError(
      "refused",
      `${repository}: ${name} is never fetched; only files that end in ${fetchableExtensions.join(", ")} are, since they hold no code`,
    );
}

async function freeOnDisk(directory: string): Promise<number> {
  for (let at = directory; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch (error) {
      if (at === dirname(at)) throw error;
    }
  }
}

/** Files of one repository, at one commit. */
class Pull {
  readonly #options: PullOptions;
  readonly #cache: RepositoryCache;

  constructor(options: PullOptions) {
    this.#options = options;
    for (const { name } of options.files) assertFetchable(options.repository, name);
    this.#cache = new RepositoryCache(options.cacheDir, options.repository);
  }

  /** What is here already, checked; and what is not. */
  async #look(): Promise<{ commit: string | undefined; here: PulledFile[]; missing: WantedFile[] }> {
    const { revision, files, refresh, revalidate } = this.#options;
    const commit = await this.#cache.resolveRevision(revision);
    if (commit === undefined || refresh || revalidate) return { commit, here: [], missing: [...files] };
    const here: PulledFile[] = [];
    const missing: WantedFile[] = [];
    for (const wanted of files) {
      const cached = await this.#cache.find(commit, wanted.name);
      if (cached) here.push({ ...(await this.#check(cached, wanted)), fetched: false });
      else missing.push(wanted);
    }
    return { commit, here, missing };
  }

  /** Hashes a file that is here and compares it with what it should be. */
  async #check({ name, path, etag }: CachedFile, wanted: WantedFile): Promise<Omit<PulledFile, "fetched">> {
    const { size } = await stat(path);
    const digest = await fileDigest(path, size, { signal: this.#options.signal });
    const { repository } = this.#options;
    if (etag !== undefined && matchesEtag(digest, etag) === false)
      throw new HubError(
        "damaged",
        `${repository}: ${path} is damaged: its bytes hash to sha256 ${digest.sha256}; fetch it again with --refresh-cache`,
      );
    if (wanted.sha256 !== undefined && digest.sha256 !== wanted.sha256)
      throw new HubError(
        "differs",
        `${repository}: ${path} has sha256 ${digest.sha256}, but ${wanted.sha256} is pinned; fetch it again with --refresh-cache`,
      );
    return { name, path, ...digest };
  }

  /** Finds the files, or fetches them. */
  async run(): Promise<PulledFiles> {
    const first = await this.#look();
    if (first.commit !== undefined && first.missing.length === 0) return this.#inOrder(first.commit, first.here);
    const { offline, repository, onWait, staleLockMs, signal } = this.#options;
    if (offline) {
      const names = first.missing.map(({ name }) => name).join(", ");
      throw new HubError(
        "offline",
        `${repository}: ${names} ${first.missing.length === 1 ? "is" : "are"} not in the cache ${this.#options.cacheDir}, and nothing may be downloaded (--local-files-only, HF_HUB_OFFLINE)`,
      );
    }
    await this.#cache.prepare();
    return withFileLock(this.#cache.lockPath, () => this.#fetchMissing(), {
      ...(onWait ? { onWait } : {}),
      ...(staleLockMs === undefined ? {} : { staleMs: staleLockMs }),
      ...(signal ? { signal } : {}),
    });
  }

  async #fetchMissing(): Promise<PulledFiles> {
    // Another process may have fetched them while this one waited for the lock.
    const { commit, here, missing } = await this.#look();
    if (commit !== undefined && missing.length === 0) return this.#inOrder(commit, here);
    const client = await openClient(this.#options);
    try {
      const remote = await this.#describe(client, missing);
      const found = remote[0]?.commit ?? commit;
      if (found === undefined) throw new HubError("refused", `${this.#options.repository}: no file is wanted`);
      if (commit !== undefined && commit !== found && here.length > 0) {
        // The branch moved: what is here belongs to another commit.
        return await this.#fetch(client, found, await this.#describe(client, this.#options.files, found), []);
      }
      return await this.#fetch(client, found, remote, here);
    } finally {
      await client.close();
    }
  }

  /** What the hub says of files, all of one commit. */
  async #describe(client: HubClient, files: readonly WantedFile[], commit?: string): Promise<RemoteFile[]> {
    const { repository, revision, signal } = this.#options;
    const describe = async (wanted: WantedFile, at: string): Promise<RemoteFile> => {
      const what = `${repository}: ${wanted.name}`;
      const remote = await withRetries(what, () => client.describe(repository, at, wanted.name, signal), this.#options);
      if (/^[0-9a-f]{40}$/.test(at) && remote.commit !== at)
        throw new HubError("differs", `${what}: commit ${at} is pinned, but the hub answered with ${remote.commit}`);
      if (wanted.bytes !== undefined && remote.bytes !== wanted.bytes)
        throw new HubError("differs", `${what} has ${remote.bytes} bytes on the hub, but ${wanted.bytes} are pinned`);
      if (wanted.sha256 !== undefined && /^[0-9a-f]{64}$/.test(remote.etag) && remote.etag !== wanted.sha256)
        throw new HubError("differs", `${what} has sha256 ${remote.etag} on the hub, but ${wanted.sha256} is pinned`);
      return remote;
    };
    const [first, ...others] = files;
    if (!first) return [];
    const head = await describe(first, commit ?? revision);
    const rest = await Promise.all(others.map((wanted) => describe(wanted, head.commit)));
    return [head, ...rest];
  }

  async #fetch(
    client: HubClient,
    commit: string,
    remotes: readonly RemoteFile[],
    here: readonly PulledFile[],
  ): Promise<PulledFiles> {
    await this.#checkSpace(remotes);
    const { files, onProgress, repository, refresh } = this.#options;
    let doneBytes = here.reduce((sum, { bytes }) => sum + bytes, 0);
    const totalBytes = remotes.reduce((sum, { bytes }) => sum + bytes, doneBytes);
    const onBytes = (bytes: number) => {
      doneBytes += bytes;
      onProgress?.({ repository, doneBytes: Math.min(doneBytes, totalBytes), totalBytes });
    };
    onBytes(0);
    const all: PulledFile[] = [...here];
    for (const remote of remotes) {
      const wanted = files.find(({ name }) => name === remote.name) ?? { name: remote.name };
      const known = !refresh && (await this.#cache.hasBlob(remote.etag));
      if (known) {
        // The same content is here for another commit.
        const digest = await this.#check(
          { name: remote.name, path: this.#cache.blobPath(remote.etag), etag: remote.etag },
          wanted,
        );
        const cached = await this.#cache.link(commit, remote.name, remote.etag);
        all.push({ ...digest, path: cached.path, fetched: false });
        onBytes(remote.bytes);
        continue;
      }
      const digest = await downloadFile(client, remote, this.#cache.partialPath(remote.etag), wanted.sha256, {
        ...this.#options,
        onBytes,
      });
      const { path } = await this.#cache.place(commit, remote.name, remote.etag);
      all.push({ name: remote.name, path, ...digest, fetched: true });
    }
    await this.#cache.setRef(this.#options.revision, commit);
    return this.#inOrder(commit, all);
  }

  async #checkSpace(remotes: readonly RemoteFile[]): Promise<void> {
    const { cacheDir, segmentBytes, freeBytes = freeOnDisk, repository } = this.#options;
    let needed = 0;
    for (const { bytes, etag } of remotes)
      needed += bytes - (await partialBytes(this.#cache.partialPath(etag), bytes, segmentBytes));
    const free = await freeBytes(cacheDir);
    if (needed > free)
      throw new HubError(
        "disk_full",
        `${repository} needs ${byteSize(needed)} in ${cacheDir}, where ${byteSize(free)} are free; make room or choose another folder with --hf-cache-dir`,
      );
  }

  #inOrder(commit: string, found: readonly PulledFile[]): PulledFiles {
    const files = this.#options.files.flatMap(({ name }) => found.find((file) => file.name === name) ?? []);
    return { commit, files };
  }
}

/**
 * Finds files of a repository in the cache, or fetches them into it. Every file is hashed and compared: with what the hub
 * names it by, and with what is pinned. Only whole and right files have their final names. Two processes that want the
 * same at once fetch it once.
 * @throws HubError saying which file, what was wrong, and what to do.
 */
export async function pullFiles(options: PullOptions): Promise<PulledFiles> {
  try {
    return await new Pull(options).run();
  } catch (error) {
    throw explainDiskError(options.repository, options.cacheDir, error);
  }
}
