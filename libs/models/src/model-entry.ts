import { fetchableExtensions, isFetchable, isSafeName } from "@ragline/hub";
import { z } from "zod";
import { loaderRules, loaders } from "./loader-rules.js";
import { precisions } from "./precision.js";

/** What stands where a revision or a hash is not known: the first pull writes what it found into the lock file. */
export const unpinned = "unpinned";

const unpinnedSchema = z.literal(unpinned);

const fileSchema = z.strictObject({
  /** Path below the model's folder or in its repository, with forward slashes. */
  name: z.string().refine(isSafeName, "must be a relative path below the model's folder, such as onnx/model.onnx"),
  /** Absent where it is not known. */
  bytes: z.int().positive().optional(),
  /** Lowercase hexadecimal; a file that hashes to anything else is refused. */
  sha256: z.union([z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"), unpinnedSchema]),
});

const graphSchema = z.strictObject({
  /** The ONNX file; its external data lies beside it. */
  graph: fileSchema,
  externalData: z.array(fileSchema).default([]),
});

const repositoryIdSchema = z
  .string()
  .regex(/^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/, "must be a Hugging Face id, such as BAAI/bge-m3");

const sourceSchema = z.discriminatedUnion("kind", [
  /** Files that come with Ragline; `RAGLINE_MODELS_DIR` names another folder that has this one. */
  z.strictObject({ kind: z.literal("embedded"), folder: z.string().refine(isSafeName) }),
  /** Files of a repository on the hub, found in or pulled into the Hugging Face cache. */
  z.strictObject({
    kind: z.literal("hub"),
    /** Where the ONNX files are; often another repository than the one that the model is known by. */
    repository: repositoryIdSchema,
    /** A commit. */
    revision: z.union([
      z.string().regex(/^[0-9a-f]{40}$/, "must be a commit of 40 hexadecimal digits"),
      unpinnedSchema,
    ]),
  }),
  /** Files in a folder of the user's own. */
  z.strictObject({ kind: z.literal("folder"), path: z.string().min(1) }),
]);

const tokenizerSchema = z.strictObject({
  /** `tokenizer.json` of Hugging Face's tokenizers. */
  file: fileSchema,
  /** Where padding goes. Last-token models that were trained with left padding give the same vectors with position ids. */
  paddingSide: z.enum(["right", "left"]).default("right"),
  /** How a pair becomes one text, with {query} and {passage}; without it the tokenizer's own pair form is used. */
  pairTemplate: z.string().includes("{query}").includes("{passage}").optional(),
  /** What is cut of a pair that is too long. */
  pairTruncation: z.enum(["only_second", "longest_first"]).default("only_second"),
});

const inputsSchema = z.strictObject({
  ids: z.string().default("input_ids"),
  /** Null for a graph that takes none. */
  attentionMask: z.string().nullable().default("attention_mask"),
  /** Token types (BERT has them, RoBERTa and its kin do not); null for a graph that takes none. */
  tokenTypes: z.string().nullable().default(null),
  /** Positions of the tokens, counted from the first that is no padding; null for a graph that takes none. */
  positionIds: z.string().nullable().default(null),
  /** Further inputs that always have the same value, such as a task id. `past_key_values.*` need none: they are given empty. */
  constants: z.record(z.string(), z.union([z.int(), z.array(z.int())])).default({}),
});

/** What an output holds: B texts of T tokens, vectors of D numbers, a vocabulary of V. */
const outputHeads = [
  /** B x T x D, to be pooled. */
  "hidden-states",
  /** B x D, pooled in the graph. */
  "pooled",
  /** CrossEncoder: B x 1 or B x 2. SPLADE: B x T x V, to be pooled by the worker. */
  "logits",
  /** B x V, pooled in the graph. */
  "sparse-weights",
  /** B x heads x T x T, the attentions of the last layer. */
  "attentions",
] as const;

const outputSchema = z.strictObject({
  /** Name in the graph. */
  name: z.string(),
  head: z.enum(outputHeads),
});

const instructionSchema = z.strictObject({
  /** The whole input of a query, with {instruction} and {text}. */
  template: z.string().includes("{instruction}").includes("{text}"),
  /** The instruction. */
  default: z.string(),
});

const scoreSchema = z.strictObject({
  /** What is made of a logit. */
  activation: z.enum(["identity", "sigmoid"]).default("identity"),
  /** Numbers per pair. Of two, the first is for "irrelevant", the second for "relevant"; their difference is the logit. */
  logits: z.union([z.literal(1), z.literal(2)]).default(1),
});

const shape = z.strictObject({
  /** Registry key, also the name of its vectors in every artifact. */
  key: z.string().regex(/^[A-Za-z0-9][\w.-]*$/, "must be letters, digits, dots, dashes and underscores"),
  /** The model as its authors name it. */
  huggingFaceId: repositoryIdSchema,
  /** Other names that users know it by; matched without regard to case, as is the Hugging Face id. */
  aliases: z.array(z.string()).default([]),
  stage: z.enum(["dense", "sparse", "rerank"]),
  /** How a text becomes a result: a pooled encoder, SPLADE, word statistics, attention as weight, a scored pair, two vectors compared. */
  loader: z.enum(loaders),
  /** Where the files are; none for word statistics. */
  source: sourceSchema.optional(),
  /** Columns of a vector (dense, bi_encoder), size of a sparse vocabulary (2^31 for hashed words), 1 for a score. */
  dimension: z.int().positive(),
  /**
   * Columns of the graph's vectors where they are more than `dimension`: of models that were trained for it (Matryoshka), the
   * first `dimension` numbers are kept, and normalised again where vectors are.
   */
  nativeDimension: z.int().positive().optional(),
  /** Most tokens that the model reads, specials and prefix included. */
  maxTokens: z.int().positive(),
  /** Of hidden states alone: how token vectors become one. */
  pooling: z.enum(["mean", "cls", "last-token"]).optional(),
  /** Whether vectors are divided by their length. */
  normalise: z.boolean().default(true),
  /** What is put before a text, by what the text is. */
  prefixes: z
    .strictObject({ query: z.string().default(""), passage: z.string().default("") })
    .default({ query: "", passage: "" }),
  /** For models that are told in words what a query is for; replaces the prefix of queries. */
  instruction: instructionSchema.optional(),
  tokenizer: tokenizerSchema.optional(),
  /** Words that attention-sparse models leave out, one a line. */
  stopWords: fileSchema.optional(),
  /** Names of the graph's inputs. */
  inputs: inputsSchema.prefault({}),
  /** Output of the graph that is read. */
  output: outputSchema.optional(),
  /** The graph in each precision that there is. */
  graphs: z.partialRecord(z.enum(precisions), graphSchema).optional(),
  /** Of rerankers alone. */
  score: scoreSchema.prefault({}),
  /** SPDX identifier. */
  license: z.string(),
  /** Whether the licence forbids commercial use. */
  nonCommercial: z.boolean().default(false),
  /** What a user should know before pulling it. */
  note: z.string().optional(),
});

type Shape = z.output<typeof shape>;

function namedFiles(entry: Shape): ModelFileSpec[] {
  const { tokenizer, stopWords, graphs = {} } = entry;
  const ofGraphs = Object.values(graphs).flatMap(({ graph, externalData }) => [graph, ...externalData]);
  return [tokenizer?.file, stopWords, ...ofGraphs].filter((file) => file !== undefined);
}

/** What a field says of others: the rules of the entry's loader, and what may be fetched. */
function crossCheck(entry: Shape, report: (path: string[], message: string) => void): void {
  const rule = loaderRules[entry.loader];
  if (entry.stage !== rule.stage) report(["stage"], `must be ${rule.stage} for the loader ${entry.loader}`);
  if (rule.heads.length === 0) return;
  for (const field of ["source", "tokenizer", "output", "graphs"] as const)
    if (entry[field] === undefined) report([field], `is needed by the loader ${entry.loader}`);
  if (entry.graphs && Object.keys(entry.graphs).length === 0) report(["graphs"], "name at least one graph");
  const { output } = entry;
  if (output && !rule.heads.includes(output.head))
    report(["output", "head"], `must be one of ${rule.heads.join(", ")} for the loader ${entry.loader}`);
  if (output?.head === "hidden-states" && entry.pooling === undefined)
    report(["pooling"], "hidden states need one of mean, cls, last-token");
  if (entry.nativeDimension !== undefined) {
    if (entry.output?.head !== "hidden-states" && entry.output?.head !== "pooled")
      report(["nativeDimension"], "only vectors can be cut, not what this model gives");
    else if (entry.nativeDimension <= entry.dimension)
      report(
        ["nativeDimension"],
        `must be more than dimension, which is ${entry.dimension}; leave it out where both are the same`,
      );
  }
  if (entry.source?.kind !== "hub") return;
  for (const { name } of namedFiles(entry))
    if (!isFetchable(name))
      report(["source"], `"${name}" is never fetched; only files that end in ${fetchableExtensions.join(", ")} are`);
}

/** One model of the registry, as data: everything that code needs to know of it, whatever its family. */
export const modelEntrySchema = shape.superRefine((entry, context) => {
  crossCheck(entry, (path, message) => context.addIssue({ code: "custom", path, message }));
});

/** One model of the registry. */
export type ModelEntry = z.output<typeof modelEntrySchema>;

/** A model of the registry as it is written down: what has a default may be left out. */
export type ModelEntryInput = z.input<typeof modelEntrySchema>;

/** An entry that runs an ONNX graph, with everything that this needs. */
export type GraphModelEntry = ModelEntry & {
  [Field in "output" | "source" | "tokenizer" | "graphs"]: NonNullable<ModelEntry[Field]>;
};

/** A file of a model, with its size and hash as far as they are known. */
export type ModelFileSpec = z.output<typeof fileSchema>;

/** Whether the entry runs an ONNX graph; word statistics need none. */
export function hasGraph(entry: ModelEntry): entry is GraphModelEntry {
  return (
    entry.graphs !== undefined &&
    entry.tokenizer !== undefined &&
    entry.source !== undefined &&
    entry.output !== undefined
  );
}

/** The text as the model reads it: with the prefix for what it is, or within the instruction. */
export function inputText({ instruction, prefixes }: ModelEntry, kind: "query" | "passage", text: string): string {
  if (kind === "passage" || instruction === undefined) return prefixes[kind] + text;
  const filled: Record<string, string> = { instruction: instruction.default, text };
  return instruction.template.replace(/\{(instruction|text)\}/g, (_, field: string) => filled[field] ?? "");
}
