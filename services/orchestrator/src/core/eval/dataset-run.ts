import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { MANIFEST_NAME, sha256File, sha256Of } from "@ragline/artifacts";
import type { SettingProvenance } from "@ragline/config";
import { type Dataset, documentText } from "@ragline/evaluation";
import { makeDirectories, placeFile } from "@ragline/files";
import type { StoreEvents } from "@ragline/models";
import type { RunSettings } from "../../run-settings.js";
import { parseEndpoints } from "../../stages/parse-endpoints.js";
import type { RunTelemetry, RunTelemetryOptions } from "../../stages/run-telemetry.js";
import { runWithStages } from "../../stages/run-with-stages.js";
import { modelContents, neededModels } from "../../stages/stage-models.js";
import { version } from "../../version.js";
import { usageError } from "../usage-error.js";

/** A run of a data set, made or to be made. */
interface DatasetRun {
  /** Output directory of the run. */
  readonly outputDir: string;
  /** Whether it is finished already. */
  readonly isCached: boolean;
  /** Settings that make it. */
  readonly settings: RunSettings;
}

/** What of the settings changes the vectors of a run, beside its models. */
const keySettings = ["enableSparse", "precision", "maxBatchTokens", "device", "forceCpu"] as const;

/** How a data set is embedded. */
export interface EmbedDatasetOptions {
  readonly settings: RunSettings;
  readonly provenance: readonly SettingProvenance[];
  /** Where runs of data sets are kept. @default {@link defaultEvalCache} */
  readonly cacheDir?: string;
  /** What an evaluation counts and traces with. */
  readonly telemetry: Omit<RunTelemetryOptions, "settings">;
  /** Gathers the telemetry of the services. */
  readonly gathering: RunTelemetry;
  readonly signal: AbortSignal;
  /** Told of models that are pulled. */
  readonly storeEvents: StoreEvents;
  readonly onProgress: (sentence: string) => void;
}

/** Where runs of data sets are kept unless another place is named. */
export function defaultEvalCache(): string {
  const cache = process.env.XDG_CACHE_HOME;
  return join(cache === undefined || cache === "" ? join(homedir(), ".cache") : cache, "ragline", "eval");
}

/**
 * Finds the run of a data set in a cache by what it is made from (the documents' bytes, models, settings, version), or
 * writes the chunk file that it is made from: one chunk for each document, of title and text.
 * @param models what the models' vectors follow from, as of `modelContents`.
 * @throws DatasetError for a document that cannot be used, RaglineError INVALID_ARGUMENT when no document has a text.
 */
async function datasetRun(
  dataset: Dataset,
  cacheDir: string,
  settings: RunSettings,
  models: readonly object[],
): Promise<DatasetRun> {
  const hashes: string[] = [];
  for (const path of dataset.documentFiles) hashes.push(await sha256File(path));
  const made = Object.fromEntries(keySettings.map((key) => [key, settings[key]]));
  const key = sha256Of(JSON.stringify({ hashes, models, made, version })).slice(0, 16);
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

/**
 * Embeds the documents of a data set, unless a cache has the run already.
 * @returns the run's directory.
 * @throws as a run, and DatasetError for a document that cannot be used.
 */
export async function embedDataset(dataset: Dataset, options: EmbedDatasetOptions): Promise<string> {
  const { settings, provenance, telemetry, gathering, signal, storeEvents, onProgress } = options;
  const models = await modelContents(neededModels({ ...settings, enableRerank: false }), {
    settings,
    elsewhere: parseEndpoints(settings.endpoints ?? []),
    signal,
    ...storeEvents,
  });
  const made = await datasetRun(dataset, resolve(options.cacheDir ?? defaultEvalCache()), settings, models);
  if (made.isCached) {
    onProgress(`${dataset.name} is embedded already: ${made.outputDir}`);
    return made.outputDir;
  }
  const startedAt = performance.now();
  const { collections } = await runWithStages({
    settings: made.settings,
    provenance,
    logLevel: "warn",
    ...telemetry,
    telemetry: gathering,
    signal,
    storeEvents,
    onEvent: (event) => {
      if (event.case === "stageFinished" && event.value.model !== "")
        onProgress(
          `${event.value.model}: ${event.value.items} ${event.value.unit} in ${event.value.seconds.toFixed(1)} s`,
        );
    },
    onLine: onProgress,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { chunks = 0 } = collections[0] ?? {};
  onProgress(`${dataset.name}: ${chunks} documents in ${seconds.toFixed(1)} s, kept in ${made.outputDir}`);
  return made.outputDir;
}

async function writeChunks(dataset: Dataset, dir: string): Promise<void> {
  await makeDirectories(dir);
  await placeFile(join(dir, "documents_chunks.json"), async (partialPath) => {
    const file = await open(partialPath, "w");
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
    if (count === 0)
      throw usageError("NO_DOCUMENTS", `${dataset.name} has no document with a text; there is nothing to embed`);
  });
}
