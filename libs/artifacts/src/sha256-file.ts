import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { readError } from "./artifact-error.js";

/**
 * SHA-256 of a file's bytes, lowercase hexadecimal. Streams: memory stays flat.
 * @throws ArtifactError when the file cannot be read.
 */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw readError(error, path);
  }
  return hash.digest("hex");
}

/** SHA-256 of bytes in memory or of a text's UTF-8, lowercase hexadecimal. */
export function sha256Of(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
