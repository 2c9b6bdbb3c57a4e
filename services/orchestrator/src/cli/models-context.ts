import {
  findModel,
  type GraphModelEntry,
  hasGraph,
  type ModelEntry,
  ModelStore,
  type Precision,
  readModels,
  useModels,
} from "@ragline/models";
import type { Command } from "commander";
import { toRunError, usageError } from "../core/usage-error.js";
import type { RunSettings } from "../run-settings.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { interruption } from "./interruption.js";
import { resolveModelSettings } from "./resolve-run-settings.js";

/** What a `ragline models` command works with. */
export interface ModelsContext {
  readonly settings: RunSettings;
  readonly store: ModelStore;
  readonly signal: AbortSignal;
  /** Prints an object with --json, else the text. */
  readonly print: (report: unknown, text: string) => void;
}

/**
 * Runs a `ragline models` command: settings and own models are read, failures become a sentence and an exit code.
 * @param read reads the user's own models. @default a file that is named must be there
 */
export async function withModels(
  command: Command,
  run: (context: ModelsContext) => Promise<number>,
  read: typeof readModels = readModels,
): Promise<number> {
  const { signal, interrupted } = interruption();
  const { json = false } = command.opts<{ json?: boolean }>();
  try {
    const settings = resolveModelSettings(command);
    useModels(read(settings.modelsFile));
    const print = (report: unknown, text: string) => {
      process.stdout.write(`${json ? JSON.stringify(report, undefined, 2) : text}\n`);
    };
    return await run({ settings, store: new ModelStore(settings), signal, print });
  } catch (error) {
    if (interrupted()) {
      process.stderr.write("ragline: stopped; what has come is kept\n");
      return exitCodes.interrupted;
    }
    const { code, message, reason } = describeFailure(toRunError(error));
    if (json) process.stdout.write(`${JSON.stringify({ error: { reason, message } }, undefined, 2)}\n`);
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  }
}

/** The models of some names, each once. */
export function findModels(names: readonly string[]): ModelEntry[] {
  return [...new Set(names.map((name) => findModel(name)))];
}

/**
 * A model that has files.
 * @throws RaglineError INVALID_ARGUMENT for one that needs none.
 */
export function withFiles(entry: ModelEntry): GraphModelEntry {
  if (hasGraph(entry)) return entry;
  throw usageError("NO_FILES", `model ${entry.key} needs no files: it counts words`);
}

/** The precisions of a model's graphs. */
export function precisionsOf(entry: GraphModelEntry): Precision[] {
  return Object.keys(entry.graphs) as Precision[];
}
