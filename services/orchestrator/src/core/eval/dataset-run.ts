import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { MANIFEST_NAME, sha256File, sha256Of } from "@ragline/artifacts";
import { type Dataset, documentText } from "@ragline/evaluation";
import type { RunSettings } from "../../run-settings.js";
import { version } from "../../version.js";
import { usageError } from "../usage-error.js";

/** A run of a data set, made or to be made. */
export interface DatasetRun {
  /** Output directory of the run. */
  readonly outputDir: string;
  /** Whether it is finished already. */
  readonly isCached: boolean;
  /** Settings that make it. */
  readonly settings: RunSettings;
}

/** What of the settings changes the vectors of a run. */
const keySettings = ["ensembleModels", "enableSparse", "sparseModels", "precision", "maxBatchTokens"] as const;

/** Where runs of data sets are kept unless another place is named. */
export function defaultEvalCache(): string {
  const cache = process.env.XDG_CACHE_HOME;
  return join(cache === undefined || cache === "" ? join(homedir(), ".cache") : cache, "ragline", "eval");
}

/**
 * Finds the run of a data set in a cache by what it is made from (the documents' bytes, models, precision, version), or
 * writes the chunk file that it is made from: one chunk for each document, of title and text.
 * @throws DatasetError for a document that cannot be used, RaglineError INVALID_ARGUMENT when no document has a text.
 */
export async function datasetRun(dataset: Dataset, cacheDir: string, settings: RunSettings): Promise<DatasetRun> {
  const hashes: string[] = [];
  for (const path of dataset.documentFiles) hashes.push(await sha256File(path));
  const made = Object.fromEntries(keySettings.map((key) => [key, settings[key]]));
  const key = sha256Of(JSON.stringify({ hashes, made, version })).slice(0, 16);
  const name = dataset.name.replace(/[^\w.-]+/gu, "-").replace(/^\.+/u, "") || "dataset";
  const dir = join(cacheDir, `${name}-${key}`);
  const outputDir = join(dir, "run");
  const isCached = existsSync(join(outputDir, MANIFEST_NAME));
  const chunkedDir = join(dir, "chunks", name);
  if (!isCached) await writeChunks(dataset, chunkedDir);
  return {
    outputDir,
    isCached,
    settings: {
      ...settings,
      input: null,
      chunkedDir,
      collections: null,
      outputDir,
      exportPrefix: name,
      summaryPath: null,
      queries: null,
      auditQueries: 0,
      report: false,
      enableRerank: false,
      faissIndex: "none",
    },
  };
}

async function writeChunks(dataset: Dataset, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, "documents_chunks.json");
  const partial = `${path}.partial`;
  const file = await open(partial, "w");
  let count = 0;
  try {
    for await (const document of dataset.documents()) {
      const text = documentText(document);
      // A document without text has nothing to be found by.
      if (text === "") continue;
      const chunk = { text, metadata: { document_id: document.id } };
      await file.write(`${count === 0 ? "[" : ","}\n${JSON.stringify(chunk)}`);
      count++;
    }
    await file.write("\n]\n");
  } finally {
    await file.close();
  }
  if (count === 0) {
    await rm(partial, { force: true });
    throw usageError("NO_DOCUMENTS", `${dataset.name} has no document with a text; there is nothing to embed`);
  }
  await rename(partial, path);
}
