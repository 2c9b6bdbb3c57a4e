import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** What a file's bytes hash to. */
export interface FileDigest {
  readonly bytes: number;
  /** Lowercase hexadecimal. */
  readonly sha256: string;
  /** Of the Git object with these bytes ("blob <size>\0<bytes>"), which a hub names small files by. */
  readonly gitSha1: string;
}

/** Hashes a file of a known size. Streams: memory stays flat. */
export async function fileDigest(
  path: string,
  bytes: number,
  options: { readonly signal?: AbortSignal | undefined; readonly onBytes?: (bytes: number) => void } = {},
): Promise<FileDigest> {
  const sha256 = createHash("sha256");
  const git = createHash("sha1").update(`blob ${bytes}\0`);
  // Git hashes name small files alone; for large ones the second hash would only cost time.
  const usesGit = bytes <= 64e6;
  let read = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal: options.signal })) {
    const part = chunk as Buffer;
    sha256.update(part);
    if (usesGit) git.update(part);
    read += part.length;
    options.onBytes?.(part.length);
  }
  return { bytes: read, sha256: sha256.digest("hex"), gitSha1: usesGit ? git.digest("hex") : "" };
}

/** Whether the bytes are those that a hub names so; undefined where the name is no hash that is known here. */
export function matchesEtag(digest: FileDigest, etag: string): boolean | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return digest.sha256 === etag;
  if (/^[0-9a-f]{40}$/.test(etag) && digest.gitSha1 !== "") return digest.gitSha1 === etag;
  return undefined;
}
