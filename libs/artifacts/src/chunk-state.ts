import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** Name of the file beside chunk files that says what they were made from. Hidden, so that no reader of chunks takes it. */
export const CHUNK_STATE_NAME = ".ragline-chunks.json";

const count = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const counts = z.record(z.string(), count);

const document = z.object({
  path: z.string().describe("Relative path of the document"),
  sha256: sha256.describe("Of the document's bytes"),
  chunks: count,
  file: z.string().describe("Name of the chunk file beside this one"),
  file_sha256: sha256.describe("Of the chunk file's bytes"),
  bytes: count,
  bytes_by_reason: counts,
  characters: count,
  characters_by_reason: counts,
});

const chunkStateSchema = z.object({
  version: z.literal(1),
  options_sha256: sha256.describe("Of everything beside the document that decides its chunks"),
  documents: z.array(document),
});

/** A document, the chunk file that was made of it, and where its bytes and characters went. */
export type ChunkStateDocument = z.infer<typeof document>;

/** What a directory of chunk files was made from. Holds no clock: the same inputs give the same bytes. */
export type ChunkState = z.infer<typeof chunkStateSchema>;

/** Reads the state of a directory of chunk files; undefined where there is none, or none that can be read. */
export async function readChunkState(directory: string): Promise<ChunkState | undefined> {
  try {
    const text = await readFile(join(directory, CHUNK_STATE_NAME), "utf8");
    return chunkStateSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // Missing or damaged: everything is then chunked anew, which is right in either case.
    return undefined;
  }
}
