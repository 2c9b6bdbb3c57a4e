import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { resolveSettings } from "@ragline/config";
import { spawnService } from "@ragline/service-kit";
import { Metrics, startTracing } from "@ragline/telemetry";
import type { StageName } from "./core/run-context.js";
import type { RunEvent } from "./core/run-events.js";
import type { RunSummary } from "./core/run-summary.js";
import { type RunSettings, runSettings } from "./run-settings.js";
import { runWithStages } from "./stages/run-with-stages.js";
import { stageEntry } from "./stages/stage-entry.js";
import type { StageProcesses } from "./stages/stage-processes.js";

/** Three small documents with six sections that differ. */
export const documents: Readonly<Record<string, string>> = {
  "leases.md": `# Device leases

A lease is an open stream between a stage and the broker. When the stream ends, the broker takes the memory back at once.

## How a lease is queued

Requests wait in one line for each device, first come, first served. A large request at the head holds up smaller ones behind it, so that it never starves.
`,
  "vectors.md": `# Dense vectors

Every text becomes one vector of unit length. The vector of a text does not depend on the texts that were encoded beside it.

## Storing a matrix on disk

Rows are written as little-endian float32 numbers behind a short header, so that NumPy can map the file into memory without reading it.
`,
  "notes/search.txt": `Lexical search weighs rare words more than common ones. A word that stands in every chunk says nothing about any of them.

Fusion adds standard scores of several result lists, so that lists with different scales can be compared.
`,
};

/** A temporary directory with files in it. */
export async function directoryOf(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "ragline-test-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Files of a run that tell times. */
const timed: readonly string[] = ["processing_summary.json", "report.html"];

/** sha256 of every file of a directory by name, manifest and report left out: they tell times. */
export async function hashesOf(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).filter((name) => !timed.includes(name)).sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(
        async (name) =>
          [
            name,
            createHash("sha256")
              .update(await readFile(join(directory, name)))
              .digest("hex"),
          ] as const,
      ),
    ),
  );
}

/** What a test may watch and disturb. */
export interface FixtureOptions {
  readonly onEvent?: (event: RunEvent, stages: StageProcesses) => void;
  readonly signal?: AbortSignal;
  /** @default metrics that count nothing */
  readonly metrics?: Metrics;
  /** Told what of the telemetry did not work. */
  readonly onWarning?: (message: string) => void;
  /** Told of every line that the stages log, at the finest level. */
  readonly onLine?: (line: string) => void;
}

/** Runs in this process over real services; settings that are not given have their defaults, and one worker per model. */
export async function runHere(given: Partial<RunSettings>, options: FixtureOptions = {}): Promise<RunSummary> {
  const { values, provenance } = resolveSettings(runSettings, { env: {} });
  let stages: StageProcesses | undefined;
  return runWithStages({
    settings: { ...values, workers: 1, auditQueries: 6, ...given },
    provenance,
    logLevel: options.onLine ? "trace" : "error",
    metrics: options.metrics ?? new Metrics({ service: "orchestrator" }),
    tracing: await startTracing({ serviceName: "ragline-cli" }),
    signal: options.signal ?? new AbortController().signal,
    onWarning: options.onWarning ?? (() => undefined),
    onLine: options.onLine ?? (() => undefined),
    onStages: (opened) => {
      stages = opened;
    },
    onEvent: (event) => {
      if (stages) options.onEvent?.(event, stages);
    },
  });
}

/** Services that several runs use, for tests that ask about something else than a run's own processes. */
export interface SharedServices {
  /** For the setting of that name. */
  readonly endpoints: readonly string[];
  stop(): Promise<void>;
}

/** Starts services with one worker for each model. */
export async function shareServices(...names: readonly StageName[]): Promise<SharedServices> {
  const services = await Promise.all(
    names.map((name) => {
      const args = ["--log-level", "error", ...(name === "export" ? [] : ["--workers", "1"])];
      return spawnService({ entry: stageEntry(name), name, args });
    }),
  );
  return {
    endpoints: services.map(({ address }, i) => `${names[i]}=${address}`),
    stop: async () => {
      await Promise.all(services.map((service) => service.stop()));
    },
  };
}

/** The manifest of a run. */
export async function manifestOf(directory: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(directory, "processing_summary.json"), "utf8")) as Record<string, unknown>;
}
