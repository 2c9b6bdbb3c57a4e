import { expect, test } from "vitest";
import { inputText, type ModelEntryInput, modelEntrySchema } from "./model-entry.js";

const file = (name: string) => ({ name, sha256: "unpinned" as const });

const dense: ModelEntryInput = {
  key: "some-model",
  huggingFaceId: "someone/some-model",
  stage: "dense",
  loader: "encoder",
  source: { kind: "hub", repository: "someone/some-model-onnx", revision: "unpinned" },
  dimension: 8,
  maxTokens: 16,
  pooling: "last-token",
  tokenizer: { file: file("tokenizer.json") },
  output: { name: "last_hidden_state", head: "hidden-states" },
  graphs: { fp16: { graph: file("onnx/model_fp16.onnx"), externalData: [file("onnx/model_fp16.onnx_data")] } },
  license: "Apache-2.0",
};

test("what an entry leaves out has a default", () => {
  expect(modelEntrySchema.parse(dense)).toMatchObject({
    aliases: [],
    normalise: true,
    prefixes: { query: "", passage: "" },
    tokenizer: { paddingSide: "right", pairTruncation: "only_second" },
    inputs: { ids: "input_ids", attentionMask: "attention_mask", tokenTypes: null, positionIds: null, constants: {} },
    score: { activation: "identity", logits: 1 },
    nonCommercial: false,
  });
});

const { pooling: _, ...unpooled } = dense;

test.each<[string, object, string, RegExp]>([
  ["an unknown field", { ...dense, poolng: "mean" }, "", /poolng/],
  ["a stage that is not the loader's", { ...dense, stage: "sparse" }, "stage", /must be dense for the loader encoder/],
  ["hidden states without pooling", unpooled, "pooling", /mean, cls, last-token/],
  ["no graph", { ...dense, graphs: {} }, "graphs", /at least one/],
  ["a model without tokenizer", { ...dense, tokenizer: undefined }, "tokenizer", /is needed by the loader encoder/],
  ["a head of another loader", { ...dense, output: { name: "x", head: "logits" } }, "output.head", /hidden-states/],
  [
    "vectors that are cut to more than there is",
    { ...dense, nativeDimension: 8 },
    "nativeDimension",
    /more than dimension/,
  ],
  [
    "scores that are cut",
    {
      ...dense,
      stage: "rerank",
      loader: "cross_encoder",
      output: { name: "logits", head: "logits" },
      nativeDimension: 16,
    },
    "nativeDimension",
    /only vectors can be cut/,
  ],
  ["a branch as revision", { ...dense, source: { ...dense.source, revision: "main" } }, "source.revision", /./],
  ["a path out of the folder", { ...dense, stopWords: file("../x.txt") }, "stopWords.name", /relative path/],
  ["an absolute path", { ...dense, stopWords: file("/etc/x.txt") }, "stopWords.name", /relative path/],
  ["a path of Windows", { ...dense, stopWords: file("C:\\x.txt") }, "stopWords.name", /relative path/],
  ["a pickle", { ...dense, tokenizer: { file: file("pytorch_model.bin") } }, "source", /"pytorch_model.bin" is never/],
  ["a zip", { ...dense, tokenizer: { file: file("model.zip") } }, "source", /"model.zip" is never fetched/],
])("%s is refused where it stands", (_what, entry, path, message) => {
  const { error } = modelEntrySchema.safeParse(entry);
  expect(error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  expect(error?.issues.map((issue) => issue.message).join("\n")).toMatch(message);
});

test("a text is read with its prefix, or within the instruction that belongs to queries alone", () => {
  const prefixed = modelEntrySchema.parse({ ...dense, prefixes: { query: "query: ", passage: "passage: " } });
  expect(inputText(prefixed, "query", "q")).toBe("query: q");
  expect(inputText(prefixed, "passage", "p")).toBe("passage: p");
  const told = modelEntrySchema.parse({
    ...dense,
    instruction: { template: "Instruct: {instruction}\nQuery:{text}", default: "Find it" },
  });
  expect(inputText(told, "query", "what is {instruction}?")).toBe("Instruct: Find it\nQuery:what is {instruction}?");
  expect(inputText(told, "passage", "p")).toBe("p");
});
