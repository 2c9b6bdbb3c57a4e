import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { manifestPrefix, parseManifest } from "./manifest.js";
import { openRun } from "./open-run.js";
import { temporaryDirectory } from "./temporary-directory.js";

const golden = readFileSync(new URL("./fixtures/manifest-v4.1-python.json", import.meta.url), "utf8");

test("the Python pipeline's manifest parses, and nothing of it is lost", () => {
  expect(parseManifest(golden, "golden")).toEqual(JSON.parse(golden));
});

test("a v4.0 manifest without run sections parses, and so does a later minor version with keys of its own", () => {
  const old = { schema_version: "v4.0", collection: "docs", chunk_count: 3, anything: { else: [1] } };
  expect(parseManifest(JSON.stringify(old), "old")).toEqual(old);
  const later = { ...old, schema_version: "v4.7", sparse_run: null, rerank_run: null };
  expect(parseManifest(JSON.stringify(later), "later")).toEqual(later);
});

test.each([
  ["{", /is not valid JSON/],
  ["[]", /has no "schema_version"/],
  ['{"schema_version":"four"}', /has no "schema_version" such as "v4.1"/],
  ['{"schema_version":"v5.0"}', /has schema version v5.0; this Ragline reads v4.0 and v4.1/],
  ['{"schema_version":"v4.1","collection":"docs"}', /chunk_count/],
])("%s is refused with a sentence that names the file", (json, message) => {
  expect(() => parseManifest(json, "/out/summary.json")).toThrow(message);
  expect(() => parseManifest(json, "/out/summary.json")).toThrow("/out/summary.json");
});

test("the prefix is that of the stats file, or the collection's name", () => {
  const manifest = parseManifest(golden, "golden");
  expect(manifestPrefix(manifest)).toBe("docling-mini");
  const sha256 = "0".repeat(64);
  expect(manifestPrefix({ ...manifest, outputs: [{ name: "a_stats.json", bytes: 1, sha256 }] })).toBe("a");
});

test("a directory without a manifest says that no run has finished there", async () => {
  await expect(openRun(temporaryDirectory(onTestFinished))).rejects.toThrow(/no run has finished there/);
});
