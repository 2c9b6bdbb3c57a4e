import { byteSize } from "@ragline/hub";
import {
  findModel,
  hasGraph,
  isHubModel,
  listModels,
  type ModelEntry,
  type ModelStore,
  unpinned,
} from "@ragline/models";
import type { Command } from "commander";
import { exitCodes } from "./exit-codes.js";
import { precisionsOf, withModels } from "./models-context.js";
import { newTable } from "./new-table.js";

function plainTable(head: readonly string[], rows: readonly string[][]): string {
  const table = newTable(head, []);
  table.push(...rows);
  return table.toString();
}

interface ModelState {
  readonly model: ModelEntry;
  /** Where its files come from: "with Ragline", "your folder", "the hub" or "none needed". */
  readonly from: string;
  readonly precisions: readonly { readonly name: string; readonly here: boolean; readonly bytes: number | null }[];
  /** Commit and place of the pin; null where nothing is pinned, or nothing can be. */
  readonly pin: { readonly revision: string; readonly by: "registry" | "lock file" } | null;
  readonly commit: string | null;
}

const sources = { embedded: "with Ragline", folder: "your folder", hub: "the hub" } as const;

async function stateOf(model: ModelEntry, store: ModelStore): Promise<ModelState> {
  if (!hasGraph(model)) return { model, from: "none needed", precisions: [], pin: null, commit: null };
  const pinned = isHubModel(model) ? await store.pinOf(model) : undefined;
  const precisions = await Promise.all(
    precisionsOf(model).map(async (name) => {
      const files = await store.filesOf(model, name);
      const sizes = files.map(({ bytes }) => bytes);
      const bytes = sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : null;
      return { name, here: await store.isHere(model, name), bytes };
    }),
  );
  const named = isHubModel(model) && model.source.revision !== unpinned ? model.source.revision : undefined;
  const pin =
    named !== undefined
      ? { revision: named, by: "registry" as const }
      : pinned
        ? { revision: pinned.revision, by: "lock file" as const }
        : null;
  const commit = isHubModel(model) ? ((await store.commitOf(model)) ?? null) : null;
  return { model, from: sources[model.source.kind], precisions, pin, commit };
}

function precisionText({ precisions }: ModelState): string {
  return precisions.map(({ name, here }) => (here ? name : `(${name})`)).join(" ");
}

function sizeText({ precisions }: ModelState): string {
  const sizes = precisions.flatMap(({ bytes }) => bytes ?? []);
  if (sizes.length === 0) return "-";
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)].map(byteSize);
  return least === most ? `${least}` : `${least} to ${most}`;
}

/** Prints the models that there are. */
export function listAction(command: Command): Promise<number> {
  return withModels(command, async ({ store, print }) => {
    const { stage } = command.opts<{ stage?: ModelEntry["stage"] }>();
    const states = await Promise.all(listModels(stage).map((model) => stateOf(model, store)));
    const rows = states.map((state) => {
      const { key, huggingFaceId, stage: of, license, nonCommercial } = state.model;
      const terms = nonCommercial ? `${license}, non-commercial` : license;
      return [of, key, huggingFaceId, state.from, precisionText(state), sizeText(state), terms];
    });
    const head = ["stage", "key", "Hugging Face id", "files", "precisions", "size", "licence"];
    print({ models: states }, `${plainTable(head, rows)}\n\nIn brackets: not on this machine.`);
    return exitCodes.done;
  });
}

/** Prints everything that is known of one model. */
export function showAction(command: Command, name: string): Promise<number> {
  return withModels(command, async ({ store, print }) => {
    const state = await stateOf(findModel(name), store);
    const { model, from, pin, commit } = state;
    const source = hasGraph(model) ? model.source : undefined;
    const rows: [string, string][] = [
      ["key", model.key],
      ["Hugging Face id", model.huggingFaceId],
      ["also known as", model.aliases.join(", ") || "-"],
      ["stage, loader", `${model.stage}, ${model.loader}`],
      ["dimension", model.nativeDimension ? `${model.dimension} of ${model.nativeDimension}` : String(model.dimension)],
      ["tokens at most", String(model.maxTokens)],
      ["pooling", model.pooling ?? "-"],
      ["query", model.instruction ? JSON.stringify(model.instruction.template) : JSON.stringify(model.prefixes.query)],
      ["passage", JSON.stringify(model.prefixes.passage)],
      ["licence", model.nonCommercial ? `${model.license} (no commercial use)` : model.license],
      ["files", from],
    ];
    if (source?.kind === "hub") {
      rows.push(["repository", source.repository]);
      rows.push(["pinned to", pin ? `${pin.revision} (${pin.by})` : "nothing yet: the first pull pins what it finds"]);
      rows.push(["cache", store.cacheDir]);
      rows.push(["commit in use", commit ?? "-"]);
    }
    if (source?.kind === "folder") rows.push(["folder", source.path]);
    for (const { name: precision, here, bytes } of state.precisions)
      rows.push([
        precision,
        `${here ? "on this machine" : "not here"}, ${bytes === null ? "size unknown" : byteSize(bytes)}`,
      ]);
    if (model.note) rows.push(["note", model.note]);
    print(state, plainTable([], rows));
    return exitCodes.done;
  });
}
