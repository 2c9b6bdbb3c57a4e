import { type ModelEntryInput, modelEntrySchema, unpinned } from "./model-entry.js";
import type { Precision } from "./precision.js";

/** What a model's own files say. Parsed JSON, absent where the repository has no such file. */
export interface ModelCardFiles {
  readonly config?: unknown;
  readonly tokenizerConfig?: unknown;
  /** `modules.json` of sentence-transformers. */
  readonly modules?: unknown;
  /** `config.json` in the folder of the pooling module. */
  readonly pooling?: unknown;
  /** `config_sentence_transformers.json`. */
  readonly sentenceTransformers?: unknown;
  /** `sentence_bert_config.json`. */
  readonly sentenceBert?: unknown;
}

/** What {@link proposeEntry} goes by. */
export interface ProposalInput {
  readonly huggingFaceId: string;
  readonly files: ModelCardFiles;
  /** Repository with the ONNX files, its commit, and the names of its files. */
  readonly onnx: { readonly repository: string; readonly commit: string; readonly names: readonly string[] };
  readonly license?: string | undefined;
  /** @default the last part of the id */
  readonly key?: string | undefined;
  /** @default what the files say */
  readonly stage?: "dense" | "sparse" | "rerank" | undefined;
}

/** Files that do not tell enough, or tell of a model that cannot run here. */
export class ProposalError extends Error {
  override readonly name = "ProposalError";
}

type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const count = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;

/** Types of the modules that sentence-transformers chains, such as "Transformer", "Pooling", "Normalize". */
function moduleTypes({ modules }: ModelCardFiles): string[] {
  return (Array.isArray(modules) ? modules : []).map((module) => text(object(module)["type"])?.split(".").at(-1) ?? "");
}

function stageOf({ huggingFaceId, files, stage }: ProposalInput): "dense" | "sparse" | "rerank" {
  if (stage) return stage;
  const architectures = object(files.config)["architectures"];
  const architecture = Array.isArray(architectures) ? String(architectures[0]) : "";
  if (moduleTypes(files).includes("SpladePooling")) return "sparse";
  if (architecture.endsWith("ForSequenceClassification")) return "rerank";
  if (files.modules !== undefined) return "dense";
  if (architecture.endsWith("ForMaskedLM") && /splade/i.test(huggingFaceId)) return "sparse";
  if (architecture === "")
    throw new ProposalError("its config.json names no architecture; say what it is with --stage");
  return "dense";
}

function poolingOf({ pooling, modules }: ModelCardFiles, isDecoder: boolean): "mean" | "cls" | "last-token" {
  const config = object(pooling);
  if (config["include_prompt"] === false)
    throw new ProposalError("its pooling leaves the tokens of the prompt out, which no entry can say");
  const on = (mode: string) => config[`pooling_mode_${mode}`] === true || config["pooling_mode"] === mode.split("_")[0];
  const modes = [
    ...(on("cls_token") ? (["cls"] as const) : []),
    ...(on("mean_tokens") ? (["mean"] as const) : []),
    ...(on("lasttoken") ? (["last-token"] as const) : []),
  ];
  const [mode] = modes;
  if (mode && modes.length === 1) return mode;
  if (modes.length > 1)
    throw new ProposalError(`it joins several poolings (${modes.join(", ")}), which no entry can say`);
  if (pooling !== undefined) throw new ProposalError("its pooling is none of mean, cls, last-token");
  if (modules !== undefined && !moduleTypes({ modules }).includes("Pooling"))
    throw new ProposalError("its modules.json names no pooling, so nothing tells how its vectors are made");
  return isDecoder ? "last-token" : "mean";
}

const decoders = /^(qwen|llama|mistral|gemma|phi|gpt|opt)/;
const withTokenTypes = new Set(["bert", "nomic_bert", "electra", "albert", "mobilebert", "new"]);
// Their positions begin behind the padding id: of 514 places, 512 are for tokens.
const withPositionOffset = new Set(["roberta", "xlm-roberta", "camembert", "mpnet"]);

function maxTokensOf({ config, tokenizerConfig, sentenceBert }: ModelCardFiles): number {
  const places = count(object(config)["max_position_embeddings"]);
  const offset = withPositionOffset.has(text(object(config)["model_type"]) ?? "") ? 2 : 0;
  const limits = [
    count(object(sentenceBert)["max_seq_length"]),
    places === undefined ? undefined : places - offset,
    count(object(tokenizerConfig)["model_max_length"]),
  ].filter((limit) => limit !== undefined);
  // What tokenizers say when nobody limited them is a number like 1e30.
  const limit = Math.min(...limits.filter((one) => one < 10_000_000));
  if (!Number.isFinite(limit)) throw new ProposalError("none of its files says how many tokens it takes");
  return limit;
}

function promptsOf({ sentenceTransformers }: ModelCardFiles): Pick<ModelEntryInput, "prefixes" | "instruction"> {
  const { prompts, default_prompt_name: byDefault } = object(sentenceTransformers);
  const named = object(prompts);
  const fallback = text(named[text(byDefault) ?? ""]) ?? "";
  const query = text(named["query"]) ?? fallback;
  const passage = text(named["document"]) ?? text(named["passage"]) ?? text(named["corpus"]) ?? fallback;
  const [, told, ending] = /^Instruct: ?(.+)(\nQuery: ?)$/s.exec(query) ?? [];
  return {
    prefixes: { query: told === undefined ? query : "", passage },
    ...(told === undefined
      ? {}
      : { instruction: { template: `Instruct: {instruction}${ending}{text}`, default: told } }),
  };
}

const graphNames: Readonly<Record<Precision, readonly string[]>> = {
  fp32: ["onnx/model.onnx", "model.onnx"],
  fp16: ["onnx/model_fp16.onnx", "model_fp16.onnx"],
  int8: [
    "onnx/model_int8.onnx",
    "onnx/model_quantized.onnx",
    "model_int8.onnx",
    "model_quantized.onnx",
    "model.int8.onnx",
  ],
  q4: ["onnx/model_q4.onnx", "model_q4.onnx"],
};

function graphsOf({ repository, names }: ProposalInput["onnx"]): NonNullable<ModelEntryInput["graphs"]> {
  const graphs: NonNullable<ModelEntryInput["graphs"]> = {};
  for (const [precision, candidates] of Object.entries(graphNames)) {
    const graph = candidates.find((name) => names.includes(name));
    if (graph === undefined) continue;
    const data = names.filter((name) => name === `${graph}_data` || name.startsWith(`${graph}_data_`));
    graphs[precision as Precision] = {
      graph: { name: graph, sha256: unpinned },
      externalData: data.map((name) => ({ name, sha256: unpinned })),
    };
  }
  if (Object.keys(graphs).length === 0)
    throw new ProposalError(
      `${repository} has no ONNX file that is known by its name (${graphNames.fp32.join(", ")} and the like); name a repository that has with --onnx-repository, or export one (tools/convert)`,
    );
  return graphs;
}

function activationOf({ config, sentenceTransformers }: ModelCardFiles, logits: 1 | 2): "identity" | "sigmoid" {
  const named =
    text(object(object(config)["sentence_transformers"])["activation_fn"]) ??
    text(object(sentenceTransformers)["activation_fn"]) ??
    text(object(config)["sbert_ce_default_activation_function"]);
  // What sentence-transformers does unless the files say otherwise.
  const byDefault = logits === 1 ? "Sigmoid" : "Identity";
  return (named ?? byDefault).endsWith("Identity") ? "identity" : "sigmoid";
}

function logitsOf(config: Json): 1 | 2 {
  // Where a config names none there are two: transformers leaves out what is its default.
  const labels = count(config["num_labels"]) ?? (Object.keys(object(config["id2label"])).length || 2);
  if (labels === 1 || labels === 2) return labels;
  throw new ProposalError(`it has ${labels} labels; a reranker has one or two`);
}

/**
 * A registry entry from what a model's own files say: `config.json`, the tokenizer's, and those of sentence-transformers.
 * @throws ProposalError saying what is missing, or what cannot be said in an entry.
 */
export function proposeEntry(input: ProposalInput): ModelEntryInput {
  const { huggingFaceId, files, onnx, license = "unknown" } = input;
  const config = object(files.config);
  const type = text(config["model_type"]) ?? "";
  const isDecoder = decoders.test(type);
  const stage = stageOf(input);
  if (moduleTypes(files).includes("LogitScore"))
    throw new ProposalError("its score is made of the logits of single words (LogitScore), which no entry can say");
  if (stage === "dense" && moduleTypes(files).includes("Dense"))
    throw new ProposalError(
      "a Dense layer follows its pooling, which no entry can say; export it with its pooling (tools/convert)",
    );
  const width = count(config["hidden_size"]) ?? count(config["dim"]) ?? count(config["d_model"]);
  const entry: ModelEntryInput = {
    key: input.key ?? (huggingFaceId.split("/").at(-1) ?? huggingFaceId).toLowerCase(),
    huggingFaceId,
    stage,
    loader: stage === "dense" ? "encoder" : stage === "sparse" ? "splade" : "cross_encoder",
    source: { kind: "hub", repository: onnx.repository, revision: onnx.commit },
    dimension: 1,
    maxTokens: maxTokensOf(files),
    tokenizer: {
      file: { name: "tokenizer.json", sha256: unpinned },
      ...(isDecoder ? { paddingSide: "left" as const } : {}),
    },
    inputs: {
      ...(withTokenTypes.has(type) ? { tokenTypes: "token_type_ids" } : {}),
      ...(isDecoder ? { positionIds: "position_ids" } : {}),
    },
    output: { name: "logits", head: "logits" },
    graphs: graphsOf(onnx),
    license,
  };
  if (!onnx.names.includes("tokenizer.json")) throw new ProposalError(`${onnx.repository} has no tokenizer.json`);
  if (stage === "rerank") {
    const logits = logitsOf(config);
    entry.score = { activation: activationOf(files, logits), logits };
  } else if (stage === "sparse") {
    entry.dimension = count(config["vocab_size"]) ?? fail("its config.json names no vocab_size");
  } else {
    entry.dimension = width ?? fail("its config.json names no hidden_size");
    entry.pooling = poolingOf(files, isDecoder);
    entry.output = { name: "last_hidden_state", head: "hidden-states" };
    const isCosine = text(object(files.sentenceTransformers)["similarity_fn_name"]) !== "dot";
    entry.normalise = isCosine || moduleTypes(files).includes("Normalize");
    Object.assign(entry, promptsOf(files));
  }
  modelEntrySchema.parse(entry);
  return entry;
}

function fail(message: string): never {
  throw new ProposalError(message);
}
