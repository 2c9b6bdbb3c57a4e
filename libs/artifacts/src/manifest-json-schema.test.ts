import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { manifestSchema } from "./manifest.js";
import { manifestJsonSchema } from "./manifest-json-schema.js";

const fileAt = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const committed = fileAt("../schema/processing-summary.schema.json") as object;
const golden = fileAt("./fixtures/manifest-v4.1-python.json") as Record<string, unknown>;
const ours = fileAt("./fixtures/manifest-v4.1-ragline.json") as Record<string, unknown>;
const old = { schema_version: "v4.0", collection: "docs", chunk_count: 3, anything: { else: [1] } };

// Two judges: one that knows nothing of Ragline, and the one that Ragline reads with.
const validate = new Ajv2020({ allErrors: true, strict: true, strictTypes: false }).compile(committed);
const verdicts = (manifest: unknown): [boolean, boolean] => [
  validate(manifest),
  manifestSchema.safeParse(manifest).success,
];

// To write it anew: JSON.stringify(manifestJsonSchema(), null, 2) into schema/processing-summary.schema.json, then `npm run format`.
test("the committed schema is the one that manifests are read with", () => {
  expect(committed).toEqual(manifestJsonSchema());
  for (const key of ["$id", "title", "description"]) expect(committed).toHaveProperty(key, expect.stringMatching(/./));
});

test.each([
  ["the Python pipeline's", golden],
  ["a v4.0", old],
  ["a run's of ours", ours],
])("%s manifest is valid", (_, manifest) => {
  const verdict = verdicts(manifest);
  expect(validate.errors).toBeNull();
  expect(verdict).toEqual([true, true]);
});

test.each<[what: string, change: object]>([
  ["no collection", { collection: undefined }],
  ["a version from the future", { schema_version: "v9.0" }],
  ["a count that is text", { chunk_count: "3" }],
  ["a count that is negative", { chunk_count: -1 }],
  ["a count beyond what a double holds exactly", { chunk_count: 2 ** 60 }],
  ["a count that is no integer", { chunk_count: 1.5 }],
  ["a toggle that is text", { feature_toggles: { enable_sparse: "yes" } }],
  ["an output without a hash", { outputs: [{ name: "a", bytes: 1 }] }],
  ["a hash that is cut short", { outputs: [{ name: "a", bytes: 1, sha256: "abc" }] }],
  ["scores that are no list", { rerank_run: { scores: 1 } }],
  ["a checksum that is none", { manifest_sha256: "x" }],
])("a manifest with %s is refused", (_, change) => {
  const manifest: unknown = JSON.parse(JSON.stringify({ ...ours, ...change }));
  expect(verdicts(manifest)).toEqual([false, false]);
});
