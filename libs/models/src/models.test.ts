import { cp, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  choosePrecision,
  fastestPrecision,
  findModel,
  hasGraph,
  listModels,
  modelDirectory,
  verifyModel,
} from "./index.js";

test.each([
  ["bge-small-en-v1.5", "dense", "bge-small-en-v1.5"],
  ["baai/BGE-small-en-v1.5", "dense", "bge-small-en-v1.5"],
  ["all-MiniLM-L6-v2", "dense", "all-miniLM-l6"],
  ["sentence-transformers/all-minilm-l6-v2", "dense", "all-miniLM-l6"],
  ["Qdrant/bm25", "sparse", "qdrant-bm25"],
  ["qa-minilm-l6-cross-encoder", "rerank", "qa-minilm-l6-cross-encoder"],
] as const)("%s names the %s model %s", (name, stage, key) => {
  expect(findModel(name, stage).key).toBe(key);
});

test("an unknown name lists the valid ones of that stage alone", () => {
  expect(() => findModel("bge-huge", "dense")).toThrow(
    /^"bge-huge" is no dense model of the registry; choose one of: bge-small-en-v1\.5 \(BAAI\/bge-small-en-v1\.5\), all-miniLM-l6 .*; or add your own under "models" in config\/embedder\.json$/,
  );
  expect(() => findModel("splade-tiny", "dense")).toThrow("no dense model");
});

const graphModels = (["dense", "sparse", "rerank"] as const)
  .flatMap((stage) => listModels(stage))
  .filter(hasGraph)
  .filter(({ source }) => source.kind === "embedded");

test.each(
  graphModels.flatMap((entry) =>
    (["fp32", "int8"] as const).map((precision) => [entry.key, precision, entry] as const),
  ),
)("the embedded files of %s in %s are those of the registry", async (_key, precision, entry) => {
  const verified = await verifyModel(entry, precision);
  expect(verified.files.map((file) => file.name)).toContain("weights.bin");
});

test("one flipped bit in the weights is refused by name, and a missing file too", async () => {
  const directory = await mkdtemp(join(tmpdir(), "ragline-models-"));
  try {
    const entry = graphModels.find((model) => model.key === "splade-tiny");
    if (!entry) throw new Error("splade-tiny left the registry");
    const target = modelDirectory(entry, directory);
    await cp(modelDirectory(entry), target, { recursive: true });
    await expect(verifyModel(entry, "int8", directory)).resolves.toBeDefined();
    const weights = join(target, "weights.bin");
    const file = await open(weights, "r+");
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 12_345);
    await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, 12_345);
    await file.close();
    await expect(verifyModel(entry, "int8", directory)).rejects.toThrow(/splade-tiny: .*weights\.bin has sha256/);
    await rm(weights);
    await expect(verifyModel(entry, "int8", directory)).rejects.toThrow(/cannot read .*weights\.bin/);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test.each([
  ["flags : fma avx512_vnni aes", "int8"],
  ["flags : avx2 avx_vnni", "int8"],
  ["Features : fp asimd i8mm bf16", "int8"],
  ["flags : avx2 avx512f", "fp32"],
  ["", "fp32"],
] as const)("a CPU with '%s' runs %s fastest", (features, precision) => {
  expect(fastestPrecision(features)).toBe(precision);
});

test.each([
  [["fp32", "int8"], "avx_vnni", "int8"],
  [["fp32", "int8"], "", "fp32"],
  [["int8", "q4"], "", "int8"],
  [["fp16", "q4"], "avx_vnni", "fp16"],
] as const)("of %s a CPU with '%s' takes %s", (available, features, precision) => {
  expect(choosePrecision(available, features)).toBe(precision);
});
