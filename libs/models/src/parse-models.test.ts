import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@ragline/config";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { findModel, listModels, useModels } from "./model-registry.js";
import { parseModels, readModels } from "./parse-models.js";

const own = {
  key: "own",
  huggingFaceId: "me/own",
  stage: "dense",
  loader: "encoder",
  source: { kind: "folder", path: "models/own" },
  dimension: 8,
  maxTokens: 16,
  pooling: "mean",
  tokenizer: { file: { name: "tokenizer.json", sha256: "unpinned" } },
  output: { name: "last_hidden_state", head: "hidden-states" },
  graphs: { fp32: { graph: { name: "model.onnx", sha256: "unpinned" } } },
  license: "MIT",
};

afterEach(() => useModels([]));

test("a user's models stand beside those of the registry, and in place of those of the same key", () => {
  const before = listModels().length;
  useModels(parseModels([own, { ...own, key: "BGE-M3", huggingFaceId: "me/bge" }], "here"));
  expect(findModel("me/OWN", "dense").key).toBe("own");
  expect(findModel("bge-m3").huggingFaceId).toBe("me/bge");
  expect(listModels()).toHaveLength(before + 1);
  useModels([]);
  expect(listModels()).toHaveLength(before);
});

test.each<[string, unknown, RegExp]>([
  ["no list", {}, /^config:models must be a list of models$/],
  ["a wrong field", [own, { ...own, key: "b", dimension: -1 }], /^config:models\[1\]\.dimension: too small/],
  ["an unknown field", [{ ...own, poolng: "mean" }], /^config:models\[0\]: unrecognized key: "poolng"$/],
  ["a wrong stage", [{ ...own, stage: "rerank" }], /^config:models\[0\]\.stage: must be dense for the loader encoder$/],
  ["a field that is missing", [{ ...own, license: undefined }], /^config:models\[0\]\.license: invalid input/],
  [
    "a file out of the folder",
    [{ ...own, tokenizer: { file: { name: "../t.json", sha256: "unpinned" } } }],
    /^config:models\[0\]\.tokenizer\.file\.name: must be a relative path/,
  ],
  ["a key that is there twice", [own, { ...own, key: "OWN" }], /^config:models: the key "OWN" is there twice$/],
])("%s is named with its place", (_what, value, message) => {
  expect(() => parseModels(value, "config:models")).toThrow(ConfigError);
  expect(() => parseModels(value, "config:models")).toThrow(message);
});

test("models are read from a config file; one without them has none", () => {
  const folder = mkdtempSync(join(tmpdir(), "ragline-models-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "embedder.json");
  expect(readModels("config/embedder.json")).toEqual([]);
  expect(() => readModels(path)).toThrow(/^there is no file .*embedder\.json, which --models-file names$/);
  writeFileSync(path, '{"top_k": 1}');
  expect(readModels(path)).toEqual([]);
  writeFileSync(path, JSON.stringify({ models: [own] }));
  expect(readModels(path).map(({ key }) => key)).toEqual(["own"]);
  writeFileSync(path, '{"models": [{}]}');
  expect(() => readModels(path)).toThrow(/embedder\.json:models\[0\]\.key: invalid input/);
});
