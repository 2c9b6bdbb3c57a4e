import { randomUUID } from "node:crypto";
import {
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
} from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { isMissing, makeDirectories, placeText } from "@ragline/files";
import { HubError } from "./hub-error.js";

/** A file of a repository, found in the cache. */
export interface CachedFile {
  readonly name: string;
  readonly path: string;
  /** Name of the content: the SHA-256 of large files, the Git hash of others; undefined where it was copied here without. */
  readonly etag: string | undefined;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

/** A path that is safe to join: relative, with forward slashes, below its folder. */
function assertRelative(repository: string, name: string): void {
  if (name === "" || name.split("/").some((part) => ["", ".", ".."].includes(part)) || /[\\:\0]/.test(name))
    throw new HubError("refused", `${repository}: "${name}" is no path below a repository`);
}

/**
 * The cache of one repository in the layout of huggingface_hub
 * (https://huggingface.co/docs/huggingface_hub/guides/manage-cache): contents in `blobs/` under their hashes, names in
 * `snapshots/<commit>/` as links to them, and in `refs/` the commits that branches stood for.
 */
export class RepositoryCache {
  readonly repository: string;
  /** Folder of the repository. */
  readonly path: string;
  readonly #cacheDir: string;

  /** @throws HubError when the repository's name is none. */
  constructor(cacheDir: string, repository: string) {
    if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(repository) || repository.includes("--") || repository.includes(".."))
      throw new HubError("refused", `"${repository}" is no name of a repository`);
    this.repository = repository;
    this.#cacheDir = cacheDir;
    this.path = join(cacheDir, `models--${repository.replaceAll("/", "--")}`);
  }

  /** Where the lock of this repository is. */
  get lockPath(): string {
    return join(this.#cacheDir, ".locks", basename(this.path), "ragline.lock");
  }

  /** The commit that a revision stood for when it was last fetched; a commit is its own. */
  async resolveRevision(revision: string): Promise<string | undefined> {
    if (/^[0-9a-f]{40}$/.test(revision)) return revision;
    assertRelative(this.repository, revision);
    try {
      const commit = (await readFile(join(this.path, "refs", revision), "utf8")).trim();
      return /^[0-9a-f]{40}$/.test(commit) ? commit : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /**
   * A file of a commit, if it is there.
   * @throws HubError when it is a link that leads out of the cache.
   */
  async find(commit: string, name: string): Promise<CachedFile | undefined> {
    assertRelative(this.repository, name);
    const path = join(this.path, "snapshots", commit, name);
    let content: string;
    try {
      content = await realpath(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const home = await realpath(this.#cacheDir);
    if (!content.startsWith(home + sep))
      throw new HubError("refused", `${path} is a link that leads out of the cache, to ${content}; remove it`);
    const isBlob = basename(dirname(content)) === "blobs";
    return { name, path, etag: isBlob ? basename(content) : undefined };
  }

  /** Names of all files of a commit that are there, sorted. */
  async list(commit: string): Promise<string[]> {
    const root = join(this.path, "snapshots", commit);
    try {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const names = entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"));
      return names.sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** Makes the folders, and sees that none of them is a link that somebody put there. */
  async prepare(): Promise<void> {
    const folders = [this.path, ...["blobs", "refs", "snapshots"].map((name) => join(this.path, name))];
    await this.#makeFolders(folders);
  }

  /** Where a content is collected until it is whole. */
  partialPath(etag: string): string {
    // Not the name that huggingface_hub uses for the same, which expects the bytes in order.
    return join(this.path, "blobs", `${etag}.ragline`);
  }

  /** Gives a collected content its final name, and the file of a commit to it. */
  async place(commit: string, name: string, etag: string): Promise<CachedFile> {
    assertRelative(this.repository, name);
    const blob = join(this.path, "blobs", etag);
    await rename(this.partialPath(etag), blob);
    return this.#point(commit, name, etag);
  }

  /** Whether a content is there under its hash. */
  async hasBlob(etag: string): Promise<boolean> {
    const found = await lstat(join(this.path, "blobs", etag)).catch(() => undefined);
    return found?.isFile() === true;
  }

  /** The path of a content. */
  blobPath(etag: string): string {
    return join(this.path, "blobs", etag);
  }

  /** Gives the file of a commit to a content that is there. */
  async link(commit: string, name: string, etag: string): Promise<CachedFile> {
    assertRelative(this.repository, name);
    return this.#point(commit, name, etag);
  }

  /** Notes which commit a branch stands for. */
  async setRef(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    assertRelative(this.repository, revision);
    const path = join(this.path, "refs", revision);
    await placeText(path, commit);
  }

  /** Takes a file away from a commit, and its content where no other commit has it. Returns the bytes that are free then. */
  async removeFile(commit: string, name: string): Promise<number> {
    const found = await this.find(commit, name);
    if (!found) return 0;
    const content = await realpath(found.path);
    const { size } = await stat(content);
    await rm(found.path);
    let freed = size;
    if (content !== found.path && found.etag !== undefined) {
      if ((await this.#usedBlobs()).has(found.etag)) freed = 0;
      else await rm(content);
    }
    await this.#removeEmptyFolders(dirname(found.path), join(this.path, "snapshots"));
    return freed;
  }

  /**
   * What nothing needs: unfinished downloads of Ragline, commits that neither a branch nor `commits` name, and contents
   * without a name.
   * @param commits those that are needed besides.
   */
  async garbage(commits: ReadonlySet<string>): Promise<{ path: string; bytes: number }[]> {
    const found: { path: string; bytes: number }[] = [];
    const named = new Set([...commits, ...(await this.#refs())]);
    const dead = new Set<string>();
    for (const commit of await namesIn(join(this.path, "snapshots"))) {
      if (named.has(commit)) continue;
      dead.add(commit);
      found.push({ path: join(this.path, "snapshots", commit), bytes: 0 });
    }
    const used = await this.#usedBlobs(dead);
    for (const name of await namesIn(join(this.path, "blobs"))) {
      const path = join(this.path, "blobs", name);
      const isOurs = name.includes(".ragline");
      // huggingface_hub's own unfinished downloads end in .incomplete; they are its business.
      if (!isOurs && (used.has(name) || name.includes("."))) continue;
      const { blocks } = await lstat(path);
      found.push({ path, bytes: blocks * 512 });
    }
    return found;
  }

  /** Commits that branches stand for. */
  async #refs(): Promise<string[]> {
    const root = join(this.path, "refs");
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = entries.filter((entry) => entry.isFile());
    return Promise.all(files.map(async (entry) => (await readFile(join(entry.parentPath, entry.name), "utf8")).trim()));
  }

  /** Contents that some commit, except those, has a name for. */
  async #usedBlobs(except: ReadonlySet<string> = new Set()): Promise<Set<string>> {
    const used = new Set<string>();
    for (const commit of await namesIn(join(this.path, "snapshots"))) {
      if (except.has(commit)) continue;
      for (const name of await this.list(commit)) {
        const target = await realpath(join(this.path, "snapshots", commit, name)).catch(() => undefined);
        if (target !== undefined) used.add(basename(target));
      }
    }
    return used;
  }

  async #removeEmptyFolders(from: string, until: string): Promise<void> {
    for (let at = from; at !== until && at.startsWith(until); at = dirname(at)) {
      try {
        await rmdir(at);
      } catch {
        return;
      }
    }
  }

  async #point(commit: string, name: string, etag: string): Promise<CachedFile> {
    const snapshot = join(this.path, "snapshots", commit);
    const path = join(snapshot, name);
    const parents = name.split("/").slice(0, -1);
    await this.#makeFolders([snapshot, ...parents.map((_, i) => join(snapshot, ...parents.slice(0, i + 1)))]);
    const blob = this.blobPath(etag);
    const temporary = `${path}.${randomUUID()}`;
    try {
      await symlink(relative(dirname(path), blob), temporary);
    } catch {
      // Windows lets few users make links; the file itself does as well.
      await link(blob, temporary).catch(() => copyFile(blob, temporary));
    }
    await rename(temporary, path);
    return { name, path, etag };
  }

  async #makeFolders(folders: readonly string[]): Promise<void> {
    await makeDirectories(this.#cacheDir);
    for (const folder of folders) {
      await mkdir(folder).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      });
      const found = await lstat(folder);
      if (!found.isDirectory())
        throw new HubError(
          "refused",
          `${folder} is ${found.isSymbolicLink() ? "a link" : "no folder"}; nothing is written there, remove it`,
        );
    }
  }
}
