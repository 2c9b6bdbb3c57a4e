import { expect, test } from "vitest";
import { modelEntrySchema } from "./model-entry.js";
import { type ModelCardFiles, type ProposalInput, proposeEntry } from "./propose-entry.js";

const commit = "0123456789abcdef0123456789abcdef01234567";
const bert = { architectures: ["BertModel"], model_type: "bert", hidden_size: 384, max_position_embeddings: 512 };
const chain = (...types: string[]) =>
  types.map((type, idx) => ({
    idx,
    path: idx === 0 ? "" : `${idx}_${type}`,
    type: `sentence_transformers.models.${type}`,
  }));
const pooled = { modules: chain("Transformer", "Pooling", "Normalize"), pooling: { pooling_mode_mean_tokens: true } };

const propose = (files: ModelCardFiles, more: Partial<ProposalInput> = {}) =>
  modelEntrySchema.parse(
    proposeEntry({
      huggingFaceId: "someone/Some-Model",
      files,
      onnx: { repository: "someone/Some-Model", commit, names: ["tokenizer.json", "onnx/model.onnx"] },
      ...more,
    }),
  );

test("a dense model of sentence-transformers", () => {
  expect(propose({ config: bert, sentenceBert: { max_seq_length: 256 }, ...pooled }, { license: "mit" })).toMatchObject(
    {
      key: "some-model",
      huggingFaceId: "someone/Some-Model",
      stage: "dense",
      loader: "encoder",
      source: { kind: "hub", repository: "someone/Some-Model", revision: commit },
      dimension: 384,
      maxTokens: 256,
      pooling: "mean",
      normalise: true,
      inputs: { tokenTypes: "token_type_ids", positionIds: null },
      output: { name: "last_hidden_state", head: "hidden-states" },
      graphs: { fp32: { graph: { name: "onnx/model.onnx", sha256: "unpinned" }, externalData: [] } },
      license: "mit",
    },
  );
});

test.each<[string, ModelCardFiles, object]>([
  ["CLS", { config: bert, ...pooled, pooling: { pooling_mode_cls_token: true } }, { pooling: "cls" }],
  [
    "the newer way to name a pooling",
    { config: bert, ...pooled, pooling: { pooling_mode: "cls" } },
    { pooling: "cls" },
  ],
  [
    "positions that begin behind the padding",
    { config: { ...bert, model_type: "xlm-roberta", max_position_embeddings: 514 }, ...pooled },
    { maxTokens: 512, inputs: { tokenTypes: null } },
  ],
  [
    "a tokenizer without a limit",
    { config: bert, tokenizerConfig: { model_max_length: 1e30 }, ...pooled },
    { maxTokens: 512 },
  ],
  ["a tokenizer with one", { config: bert, tokenizerConfig: { model_max_length: 128 }, ...pooled }, { maxTokens: 128 }],
  [
    "prompts",
    {
      config: bert,
      ...pooled,
      sentenceTransformers: { prompts: { query: "query: ", passage: "other: ", document: "passage: " } },
    },
    { prefixes: { query: "query: ", passage: "passage: " } },
  ],
  [
    "a prompt for everything",
    { config: bert, ...pooled, sentenceTransformers: { prompts: { all: "text: " }, default_prompt_name: "all" } },
    { prefixes: { query: "text: ", passage: "text: " } },
  ],
  [
    "scores by dot product",
    { config: bert, modules: chain("Transformer", "Pooling"), sentenceTransformers: { similarity_fn_name: "dot" } },
    { normalise: false },
  ],
  [
    "a decoder that is told what a query is for",
    {
      config: {
        architectures: ["Qwen3ForCausalLM"],
        model_type: "qwen3",
        hidden_size: 1024,
        max_position_embeddings: 32768,
      },
      ...pooled,
      pooling: { pooling_mode_lasttoken: true },
      sentenceTransformers: { prompts: { query: "Instruct: Find it\nQuery:", document: "" } },
    },
    {
      pooling: "last-token",
      instruction: { template: "Instruct: {instruction}\nQuery:{text}", default: "Find it" },
      prefixes: { query: "", passage: "" },
      tokenizer: { paddingSide: "left" },
      inputs: { positionIds: "position_ids" },
    },
  ],
  [
    "a CrossEncoder whose logits are scores",
    {
      config: {
        ...bert,
        architectures: ["BertForSequenceClassification"],
        id2label: { 0: "LABEL_0" },
        sentence_transformers: { activation_fn: "torch.nn.modules.linear.Identity" },
      },
    },
    { stage: "rerank", loader: "cross_encoder", dimension: 1, score: { activation: "identity", logits: 1 } },
  ],
  [
    "a CrossEncoder with two labels that says nothing of its scores",
    { config: { ...bert, architectures: ["BertForSequenceClassification"], id2label: { 0: "no", 1: "yes" } } },
    { score: { activation: "identity", logits: 2 } },
  ],
  [
    "a CrossEncoder with two labels that it does not name",
    { config: { ...bert, architectures: ["BertForSequenceClassification"] } },
    { score: { activation: "identity", logits: 2 } },
  ],
  [
    "a CrossEncoder with one label that says nothing of its scores",
    { config: { ...bert, architectures: ["BertForSequenceClassification"], id2label: { 0: "LABEL_0" } } },
    { score: { activation: "sigmoid", logits: 1 } },
  ],
  [
    "SPLADE",
    {
      config: { ...bert, architectures: ["BertForMaskedLM"], vocab_size: 30522 },
      modules: chain("MLMTransformer", "SpladePooling"),
    },
    { stage: "sparse", loader: "splade", dimension: 30522, output: { name: "logits", head: "logits" } },
  ],
])("%s", (_what, files, expected) => {
  expect(propose(files)).toMatchObject(expected);
});

test("graphs are known by the names that exporters give them, with their external data", () => {
  const names = [
    "tokenizer.json",
    "onnx/model.onnx",
    "onnx/model.onnx_data",
    "onnx/model.onnx_data_1",
    "onnx/model_fp16.onnx",
    "onnx/model_quantized.onnx",
    "onnx/model_q4.onnx",
    "onnx/model_bnb4.onnx",
  ];
  const { graphs } = propose({ config: bert, ...pooled }, { onnx: { repository: "other/onnx", commit, names } });
  const found = Object.entries(graphs ?? {}).map(([name, { graph, externalData }]) => [
    name,
    graph.name,
    ...externalData.map((file) => file.name),
  ]);
  expect(found).toEqual([
    ["fp32", "onnx/model.onnx", "onnx/model.onnx_data", "onnx/model.onnx_data_1"],
    ["fp16", "onnx/model_fp16.onnx"],
    ["int8", "onnx/model_quantized.onnx"],
    ["q4", "onnx/model_q4.onnx"],
  ]);
});

test.each<[string, ModelCardFiles, Partial<ProposalInput>, RegExp]>([
  [
    "no ONNX file",
    { config: bert, ...pooled },
    { onnx: { repository: "a/b", commit, names: ["tokenizer.json"] } },
    /a\/b has no ONNX file .* --onnx-repository/,
  ],
  [
    "no tokenizer.json",
    { config: bert, ...pooled },
    { onnx: { repository: "a/b", commit, names: ["model.onnx"] } },
    /a\/b has no tokenizer\.json/,
  ],
  [
    "a Dense layer",
    { config: bert, modules: chain("Transformer", "Pooling", "Dense") },
    {},
    /Dense layer follows its pooling/,
  ],
  [
    "several poolings",
    { config: bert, ...pooled, pooling: { pooling_mode_mean_tokens: true, pooling_mode_cls_token: true } },
    {},
    /several poolings \(cls, mean\)/,
  ],
  ["no pooling", { config: bert, modules: chain("Transformer") }, {}, /its modules.json names no pooling/],
  [
    "a pooling without the prompt",
    { config: bert, ...pooled, pooling: { pooling_mode: "mean", include_prompt: false } },
    {},
    /leaves the tokens of the prompt out/,
  ],
  [
    "a reranker that answers yes or no",
    {
      config: { architectures: ["Qwen3ForCausalLM"], model_type: "qwen3", hidden_size: 8, max_position_embeddings: 64 },
      modules: chain("Transformer", "LogitScore"),
    },
    {},
    /logits of single words \(LogitScore\)/,
  ],
  [
    "another pooling",
    { config: bert, ...pooled, pooling: { pooling_mode_max_tokens: true } },
    {},
    /none of mean, cls, last-token/,
  ],
  [
    "three labels",
    { config: { ...bert, architectures: ["XForSequenceClassification"], num_labels: 3 } },
    {},
    /it has 3 labels/,
  ],
  ["no architecture", { config: {} }, {}, /say what it is with --stage/],
  ["no limit", { config: { ...bert, max_position_embeddings: undefined }, ...pooled }, {}, /how many tokens it takes/],
  ["no width", { config: { ...bert, hidden_size: "wide" }, ...pooled }, {}, /names no hidden_size/],
])("%s is told", (_what, files, more, message) => {
  expect(() => propose(files, more)).toThrow(message);
});
