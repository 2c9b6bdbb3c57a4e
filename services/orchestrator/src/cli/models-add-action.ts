import { existsSync, readFileSync } from "node:fs";
import { placeText } from "@ragline/files";
import {
  type ModelCardFiles,
  type ModelEntryInput,
  modelEntrySchema,
  ProposalError,
  proposeEntry,
  readModels,
} from "@ragline/models";
import type { Command } from "commander";
import { applyEdits, modify } from "jsonc-parser";
import { usageError } from "../core/usage-error.js";
import { exitCodes } from "./exit-codes.js";
import { type ModelsContext, withModels } from "./models-context.js";

interface AddFlags {
  readonly key?: string;
  readonly onnxRepository?: string;
  readonly stage?: "dense" | "sparse" | "rerank";
  readonly dryRun?: boolean;
}

/** Reads what a model's repository says of it. */
async function readCard(
  { store, signal }: ModelsContext,
  repository: string,
): Promise<{ files: ModelCardFiles; license: string | undefined }> {
  const { commit, names, license } = await store.list(repository, signal);
  const read = (name: string): Promise<unknown> =>
    names.includes(name) ? store.readJson(repository, commit, name, signal) : Promise.resolve(undefined);
  const [config, tokenizerConfig, modules, sentenceTransformers, sentenceBert] = await Promise.all([
    read("config.json"),
    read("tokenizer_config.json"),
    read("modules.json"),
    read("config_sentence_transformers.json"),
    read("sentence_bert_config.json"),
  ]);
  if (config === undefined)
    throw usageError("NO_CONFIG", `${repository} has no config.json, so nothing tells what it is`);
  const pooling = (Array.isArray(modules) ? modules : []).find(
    (module: { type?: unknown } | null) => typeof module?.type === "string" && module.type.endsWith(".Pooling"),
  ) as { path?: unknown } | undefined;
  const files = {
    config,
    tokenizerConfig,
    modules,
    sentenceTransformers,
    sentenceBert,
    pooling: typeof pooling?.path === "string" ? await read(`${pooling.path}/config.json`) : undefined,
  };
  return { files, license };
}

/** Puts an entry into the "models" of a config file, in place of one of the same key; everything else stays as it is. */
async function writeEntry(path: string, entry: ModelEntryInput): Promise<void> {
  let text = "{}\n";
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const { models = [] } = JSON.parse(text) as { models?: { key?: unknown }[] };
  const same = models.findIndex(({ key }) => typeof key === "string" && key.toLowerCase() === entry.key.toLowerCase());
  const edits = modify(text, ["models", same >= 0 ? same : models.length], entry, {
    formattingOptions: { insertSpaces: true, tabSize: 2 },
    isArrayInsertion: same < 0,
  });
  await placeText(path, applyEdits(text, edits));
}

/** Looks at a model's files, and writes an entry for it. */
export function addAction(command: Command, id: string): Promise<number> {
  // The file that the entry goes into need not be there yet.
  return withModels(
    command,
    (context) => add(command, id, context),
    (path) => (existsSync(path) ? readModels(path) : []),
  );
}

async function add(command: Command, id: string, context: ModelsContext): Promise<number> {
  const { key, stage, onnxRepository: repository = id, dryRun = false } = command.opts<AddFlags>();
  const { settings, store, signal, print } = context;
  const { files, license } = await readCard(context, id);
  const { commit, names } = await store.list(repository, signal);
  let entry: ModelEntryInput;
  try {
    entry = proposeEntry({ huggingFaceId: id, files, onnx: { repository, commit, names }, license, key, stage });
  } catch (error) {
    if (error instanceof ProposalError) throw usageError("NO_ENTRY", `${id}: ${error.message}`, error);
    throw error;
  }
  if (!dryRun) await writeEntry(settings.modelsFile, entry);
  const shown = JSON.stringify(entry, undefined, 2);
  print(
    { written: dryRun ? null : settings.modelsFile, entry: modelEntrySchema.parse(entry) },
    dryRun ? shown : `${shown}\n\nwritten to ${settings.modelsFile}; pull it with: ragline models pull ${entry.key}`,
  );
  return exitCodes.done;
}
