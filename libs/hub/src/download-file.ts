import { rm } from "node:fs/promises";
import { byteSize } from "./byte-size.js";
import { isDiskError } from "./disk-problem.js";
import { type FileDigest, fileDigest, matchesEtag } from "./file-digest.js";
import type { HubClient, RemoteFile } from "./hub-client.js";
import { HubError } from "./hub-error.js";
import { networkProblem } from "./network-problem.js";
import { PartialFile, removeJournal } from "./partial-file.js";
import { PassingError } from "./passing-error.js";
import { type RetryOptions, withRetries } from "./with-retries.js";

/** How a file is fetched. */
export interface DownloadOptions extends RetryOptions {
  /** Segments that are fetched at once. @default 4 */
  readonly connections?: number;
  /** Size of a segment. @default 16 MiB */
  readonly segmentBytes?: number;
  /** Told of bytes as they come; negative where bytes that came are of no use. */
  readonly onBytes?: (bytes: number) => void;
}

// A wrong byte on the way is worth another try; the same one again and again is what the hub has.
const wholeTries = 3;

/** Fetches the segments of one file. */
class Download {
  readonly #client: HubClient;
  readonly #remote: RemoteFile;
  readonly #file: PartialFile;
  readonly #options: DownloadOptions;
  readonly #server = { knowsRanges: true };

  constructor(client: HubClient, remote: RemoteFile, file: PartialFile, options: DownloadOptions) {
    this.#client = client;
    this.#remote = remote;
    this.#file = file;
    this.#options = options;
  }

  /** Fetches all that is missing, several segments side by side. */
  async run(): Promise<void> {
    const { connections = 4, signal } = this.#options;
    const waiting = this.#file.missing;
    const failed = new AbortController();
    const stop = () => failed.abort(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined && this.#server.knowsRanges; next = waiting.shift())
        await this.#fetch(next, next, failed.signal);
    };
    try {
      await Promise.all(
        Array.from({ length: Math.min(connections, waiting.length) }, async () => {
          try {
            await work();
          } catch (error) {
            failed.abort(error);
            throw error;
          }
        }),
      );
      const [first] = this.#file.missing;
      const last = this.#file.missing.at(-1);
      if (first !== undefined && last !== undefined) await this.#fetch(first, last, failed.signal);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Fetches the segments from one to another, and goes on after a failure where it was. */
  async #fetch(first: number, last: number, signal: AbortSignal): Promise<void> {
    const { name, repository } = this.#remote;
    const end = this.#file.startOf(last) + this.#file.lengthOf(last);
    let segment = first;
    let at = this.#file.startOf(first);
    let before = at;
    const attempt = async () => {
      before = at;
      const part = await this.#client.openPart(this.#remote, at, end - 1, signal);
      let position = part.start;
      // The other segments would each bring the whole again.
      if (part.isWhole && end < this.#remote.bytes) this.#server.knowsRanges = false;
      try {
        for await (const chunk of part.body) {
          const useful = chunk.subarray(Math.max(0, at - position), Math.max(0, end - position));
          position += chunk.length;
          if (useful.length > 0) await this.#file.write(useful, at);
          at += useful.length;
          this.#options.onBytes?.(useful.length);
          while (segment <= last && at >= this.#file.startOf(segment) + this.#file.lengthOf(segment))
            await this.#file.finish(segment++);
          if (at >= end) return;
        }
      } catch (error) {
        if (error instanceof HubError || isDiskError(error)) throw error;
        signal.throwIfAborted();
        throw new PassingError(`the hub ${networkProblem(error)}`, { cause: error });
      } finally {
        part.close();
      }
      throw new PassingError(`the file ended after ${at - before} of ${end - before} bytes`);
    };
    await withRetries(`${repository}: ${name}`, attempt, { ...this.#options, signal }, () => at > before);
  }
}

/**
 * Fetches a file to `path`, going on where an earlier process was. Its bytes are compared with the hash that the hub
 * names it by, and with the one that is expected, before this returns; where they differ, nothing stays at `path`.
 * @param expectedSha256 what was pinned, if anything was.
 * @throws HubError saying what was wrong.
 */
export async function downloadFile(
  client: HubClient,
  remote: RemoteFile,
  path: string,
  expectedSha256: string | undefined,
  options: DownloadOptions,
): Promise<FileDigest> {
  const { repository, name, bytes, etag } = remote;
  const file = await PartialFile.open(path, bytes, options.segmentBytes);
  try {
    options.onBytes?.(file.bytesDone);
    for (let tries = 1; ; tries++) {
      await new Download(client, remote, file, options).run();
      await file.sync();
      const digest = await fileDigest(path, bytes, { signal: options.signal });
      const isPromised = matchesEtag(digest, etag);
      if (isPromised !== false && (expectedSha256 === undefined || digest.sha256 === expectedSha256)) {
        await file.close();
        await removeJournal(path);
        return digest;
      }
      await file.reset();
      options.onBytes?.(-bytes);
      if (isPromised === true || (isPromised === undefined && tries === wholeTries))
        throw new HubError(
          "differs",
          `${repository}: ${name} has sha256 ${digest.sha256}, but ${expectedSha256} is pinned; it was not kept`,
        );
      if (tries === wholeTries)
        throw new HubError(
          "damaged",
          `${repository}: ${name} came ${tries} times with other bytes than the hub names (${etag}, ${byteSize(bytes)}); nothing was kept`,
        );
      options.onRetry?.("the bytes are not those that the hub names");
    }
  } catch (error) {
    await file.close().catch(() => undefined);
    if (error instanceof HubError && (error.problem === "differs" || error.problem === "damaged")) {
      await removeJournal(path);
      await rm(path, { force: true });
    }
    throw error;
  }
}
