import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type GraphModelEntry,
  hasGraph,
  type ModelEntryInput,
  modelEntrySchema,
  type Precision,
  type VerifiedModel,
  verifyModel,
} from "@ragline/models";
import { TextTokenizer } from "@ragline/tokenizer";
import { ModelSession, type OpenSessionOptions } from "./index.js";

const folder = fileURLToPath(new URL("../fixtures/families", import.meta.url));

/** What Python's libraries make of the texts of a family, written by tools/convert/make_fixtures.py. */
export interface FamilyReference {
  readonly query: string;
  readonly texts: string[];
  /** Ids of the passages and of the query; of rerankers those of the pairs. */
  readonly ids: number[][];
  /** What the library of the model's authors makes of the texts and the query: vectors, weights, attentions or scores. */
  readonly results: number[][];
  /** Vectors of fewer numbers. */
  readonly cut?: { readonly dimension: number; readonly results: number[][] };
  /** Indices and weights of the texts and the query by fastembed. */
  readonly bm42?: [number, number][][];
}

/** Names of the families that there are small models of. */
export const families = readdirSync(folder).filter((name) => existsSync(join(folder, name, "entry.json")));

/** Folder of a family's files. */
export const familyFolder = (name: string): string => join(folder, name);

/** The registry entry of a family's small model. */
export function familyEntry(name: string, changes: Partial<ModelEntryInput> = {}): GraphModelEntry {
  const written = JSON.parse(readFileSync(join(familyFolder(name), "entry.json"), "utf8")) as ModelEntryInput;
  const entry = modelEntrySchema.parse({
    ...written,
    source: { kind: "folder", path: familyFolder(name) },
    ...changes,
  });
  if (!hasGraph(entry)) throw new Error(`${name} has no graph`);
  return entry;
}

export function familyReference(name: string): FamilyReference {
  return JSON.parse(readFileSync(join(familyFolder(name), "reference.json"), "utf8")) as FamilyReference;
}

/** Opens a family's small model in one worker. */
export async function openFamily(
  name: string,
  options: Partial<OpenSessionOptions> & { precision?: Precision; changes?: Partial<ModelEntryInput> } = {},
): Promise<{ model: VerifiedModel; session: ModelSession; tokenizer: TextTokenizer }> {
  const { precision = "fp32", changes, ...rest } = options;
  const model = await verifyModel(familyEntry(name, changes), precision);
  const tokenizer = await TextTokenizer.open(model.tokenizerPath);
  return { model, tokenizer, session: await ModelSession.open(model, { workers: 1, ...rest }) };
}
