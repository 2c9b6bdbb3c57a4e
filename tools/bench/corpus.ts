import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ChunkRecord, findCollections, readChunkFile } from "@ragline/artifacts";
import { every } from "./batching.js";

/** Where the chunk files of the benchmarks lie, below the data folder. */
export const doclingChunks = "docling/chunked";

/** The chunks of the Docling documentation in the order in which a run reads them; with a limit, spread over all of them. */
export async function readDoclingChunks(dataDir: string, limit = Number.POSITIVE_INFINITY): Promise<ChunkRecord[]> {
  const records: ChunkRecord[] = [];
  for (const { files } of await findCollections(join(dataDir, doclingChunks))) {
    for (const file of files) for await (const record of readChunkFile(file)) records.push(record);
  }
  return every(records, Math.max(1, Math.floor(records.length / limit))).slice(0, limit);
}

/** Writes records as one chunk file of a collection below `chunkedDir`. */
export async function writeChunks(chunkedDir: string, name: string, records: readonly ChunkRecord[]): Promise<void> {
  const collection = join(chunkedDir, "bench");
  await mkdir(collection, { recursive: true });
  await writeFile(join(collection, `${name}_chunks.json`), JSON.stringify(records));
}
