import { byteSize } from "@ragline/hub";
import {
  choosePrecision,
  type GraphModelEntry,
  hasGraph,
  listModels,
  ModelFileError,
  type ModelStore,
  type Precision,
  type VerifiedModel,
} from "@ragline/models";
import type { Command } from "commander";
import { usageError } from "../core/usage-error.js";
import { exitCodes } from "./exit-codes.js";
import { findModels, precisionsOf, withFiles, withModels } from "./models-context.js";
import { PullDisplay } from "./pull-display.js";

interface PullFlags {
  readonly precision: "auto" | "all" | Precision;
  readonly refreshCache?: boolean;
  readonly repin?: boolean;
}

function wantedPrecisions(entry: GraphModelEntry, asked: PullFlags["precision"]): Precision[] {
  const available = precisionsOf(entry);
  if (asked === "all") return available;
  if (asked === "auto") return [choosePrecision(available)];
  if (available.includes(asked)) return [asked];
  throw usageError(
    "NO_PRECISION",
    `model ${entry.key} has no graph in ${asked}; choose one of: ${available.join(", ")}`,
  );
}

function fileReport({ entry, precision, files, graphPath }: VerifiedModel) {
  return { model: entry.key, precision, graph: graphPath, files };
}

function fileText({ entry, precision, files }: VerifiedModel): string {
  const lines = files.map(
    ({ name, bytes, sha256 }) => `  ${sha256.slice(0, 12)}  ${byteSize(bytes).padStart(8)}  ${name}`,
  );
  return [`${entry.key}  ${precision}`, ...lines].join("\n");
}

/** Pulls models as the command line asks, and prints what is here then. */
export function pullAction(command: Command, names: readonly string[]): Promise<number> {
  return withModels(command, async ({ settings, store, signal, print }) => {
    const { precision: asked, refreshCache, repin } = command.opts<PullFlags>();
    // All names and precisions are checked before the first byte is fetched.
    const wanted = findModels(names)
      .map(withFiles)
      .flatMap((entry) => wantedPrecisions(entry, asked).map((precision) => ({ entry, precision })));
    const display = new PullDisplay(process.stderr);
    const refresh = refreshCache ?? settings.refreshCache;
    const pulled: VerifiedModel[] = [];
    try {
      for (const { entry, precision } of wanted) {
        if (entry.nonCommercial)
          process.stderr.write(`  note: the licence of ${entry.key} (${entry.license}) forbids commercial use\n`);
        // What was pulled a moment ago for another precision is not of an older commit.
        const isFirst = !pulled.some((model) => model.entry === entry);
        const options = { ...display.events, signal, refresh, repin: repin === true && isFirst };
        pulled.push(await store.open(entry, precision, options));
      }
    } finally {
      display.end();
    }
    print({ models: pulled.map(fileReport) }, pulled.map(fileText).join("\n"));
    return exitCodes.done;
  });
}

interface Checked {
  readonly model: string;
  readonly precision: Precision;
  readonly sound: boolean;
  readonly problem?: string;
}

async function check(store: ModelStore, entry: GraphModelEntry, signal: AbortSignal): Promise<Checked[]> {
  const checked: Checked[] = [];
  for (const precision of precisionsOf(entry)) {
    if (!(await store.isHere(entry, precision))) continue;
    try {
      await store.open(entry, precision, { signal });
      checked.push({ model: entry.key, precision, sound: true });
    } catch (error) {
      if (!(error instanceof ModelFileError)) throw error;
      checked.push({ model: entry.key, precision, sound: false, problem: error.message });
    }
  }
  return checked;
}

/** Hashes what is here of some models, of all by default, and says what is wrong. Nothing is fetched. */
export function verifyModelsAction(command: Command, names: readonly string[]): Promise<number> {
  command.setOptionValue("localFilesOnly", true);
  return withModels(command, async ({ store, signal, print }) => {
    const models = names.length > 0 ? findModels(names).map(withFiles) : listModels().filter(hasGraph);
    const checked: Checked[] = [];
    for (const entry of models) {
      const found = await check(store, entry, signal);
      if (found.length === 0 && names.length > 0)
        throw usageError(
          "NOT_HERE",
          `model ${entry.key} is not on this machine; pull it: ragline models pull ${entry.key}`,
        );
      checked.push(...found);
    }
    const sound = checked.every((one) => one.sound);
    const lines = checked.map(({ model, precision, problem }) => problem ?? `${model}  ${precision}  sound`);
    print({ sound, models: checked }, lines.join("\n"));
    return sound ? exitCodes.done : exitCodes.failed;
  });
}
