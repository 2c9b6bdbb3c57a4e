import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { manifestPrefix, parseManifest } from "./manifest.js";
import { checkManifestSeal, sealManifest } from "./manifest-seal.js";
import { manifestWarnings } from "./manifest-warnings.js";
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
  ['{"schema_version":"v9.0","runs":[]}', /has schema version v9.0; this Ragline reads v4.0 and v4.1/],
  [
    '{"schema_version":"v4.1","collection":"docs","chunk_count":"738"}',
    /chunk_count: .*expected number, received string/,
  ],
  ['{"schema_version":"v4.1","collection":"docs","chunk_count":18446744073709551616}', /chunk_count: /],
  ['{"schema_version":"v4.1","collection":"docs","chunk_count":1e999}', /chunk_count: /],
  ['{"schema_version":"v4.1","collection":"docs","chunk_count":NaN}', /is not valid JSON \(.*NaN/],
  ['{"schema_version":4.1}', /has no "schema_version" such as "v4.1"/],
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

test("the manifests of complete runs give no warning, nor does a v4.0 manifest without sections", () => {
  const ours = readFileSync(new URL("./fixtures/manifest-v4.1-ragline.json", import.meta.url), "utf8");
  for (const json of [golden, ours]) expect(manifestWarnings(parseManifest(json, "golden"))).toEqual([]);
  const old = { schema_version: "v4.0", collection: "docs", chunk_count: 3, feature_toggles: { enable_sparse: true } };
  expect(manifestWarnings(parseManifest(JSON.stringify(old), "old"))).toEqual([]);
});

test.each<[more: object, warning: RegExp]>([
  [{ feature_toggles: { enable_sparse: true }, sparse_run: null }, /enable_sparse is on, but there is no sparse_run/],
  [{ feature_toggles: { enable_rerank: true } }, /enable_rerank is on, but there is no rerank_run/],
  [
    { feature_toggles: { enable_rerank: false }, rerank_run: { executed: true } },
    /enable_rerank is off, but there is a rerank_run/,
  ],
  [{ dense_run: undefined }, /no dense_run/],
  [{ compatibility: { current: "v4.0" } }, /schema_version is v4.1, but compatibility.current is v4.0/],
  [
    { dense_run: { total_embeddings_generated: 5, models_executed: ["a", "b"] } },
    /5 embeddings, but there are 3 chunks and 2 models/,
  ],
  [{ sparse_run: { vectors: { total: 4, available: 1 } } }, /sparse_run counts 4 chunks, but chunk_count is 3/],
  [{ sparse_run: { vectors: { total: 3, available: 9 } } }, /9 vectors of 3 chunks/],
  [{ rerank_run: { executed: true, candidate_ids: [1, 2], scores: [1] } }, /2 candidates, but 1 scores/],
])("%j gives one warning", (more, warning) => {
  const manifest = { schema_version: "v4.1", collection: "docs", chunk_count: 3, dense_run: {}, ...more };
  expect(manifestWarnings(parseManifest(JSON.stringify(manifest), "x"))).toEqual([expect.stringMatching(warning)]);
});

test("a sealed manifest is intact until one bit of it changes", () => {
  const sealed = Buffer.from(
    sealManifest({ schema_version: "v4.1", warnings: ["zwölf", "\u001b", 1e-7, 0.30000000000000004] }),
  );
  expect(JSON.parse(sealed.toString())).toMatchObject({
    manifest_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  expect(checkManifestSeal(sealed)).toBe("intact");
  expect(checkManifestSeal(readFileSync(new URL("./fixtures/manifest-v4.1-ragline.json", import.meta.url)))).toBe(
    "intact",
  );
  expect(checkManifestSeal(Buffer.from(golden))).toBe("missing");
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(checkManifestSeal(changed), `bit ${bit}`).not.toBe("intact");
  }
});
