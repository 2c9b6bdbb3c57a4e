import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MANIFEST_NAME, readReportMark } from "@ragline/artifacts";
import { expect, test } from "vitest";
import { makeRun, type RunFixtureOptions } from "./run.fixture.js";
import { type WriteReportOptions, writeReport } from "./write-report.js";

const tokenLimits = { bge: 100, splade: 512 };

async function pageOf(run: RunFixtureOptions = {}, options: WriteReportOptions = { tokenLimits }): Promise<string> {
  const { dir, remove } = await makeRun(run);
  try {
    return await readFile(await writeReport(dir, options), "utf8");
  } finally {
    await remove();
  }
}

const matches = (page: string, pattern: RegExp): string[] => page.match(pattern) ?? [];

test("every section has a heading and an anchor, every plot a name and a table behind it", async () => {
  const page = await pageOf();
  const sections = [
    "outcomes",
    "quality",
    "anomalies",
    "stages",
    "timeline",
    "devices",
    "batches",
    "sources",
    "lengths",
    "map",
    "config",
    "files",
  ];
  expect(matches(page, /(?<=<section id=")[a-z]+/g)).toEqual(sections);
  for (const id of sections) {
    expect(page).toContain(`<h2 id="${id}-title">`);
    expect(page).toContain(`<a href="#${id}">`);
  }
  for (const landmark of ["<header>", "<main>", "<footer>", '<nav aria-label="Sections">'])
    expect(page).toContain(landmark);
  expect(matches(page, /(?<=<svg viewBox="[^"]*" role="img" aria-label=")[^"]+/g)).toEqual([
    "hit@1 of every ranking, with intervals",
    "hit@10 of every ranking, with intervals",
    "MRR@10 of every ranking, with intervals",
    "MRR@10 of fused by part, with intervals",
    "Timeline of the stages",
    "Items per second of each model over time",
    "Memory in use over time",
    "Leases of devices over time",
    "Peak memory of each lease against its size",
    "Mean size of the models&#39; calls",
    "Share of the documents&#39; characters by what became of them",
    "Documents with most chunks",
    "How many chunks have how many tokens",
  ]);
  expect(page).toContain('<svg class="map" viewBox="0 0 640 480" role="img"');
  expect(matches(page, /(?<=<caption>)[^<]+/g)).toEqual([
    "Outcomes",
    "Warnings",
    "Self-audit",
    "Self-audit by kind of query and content type",
    "Self-audit of fused by document",
    "Rank of the first right chunk for each query",
    "Anomalies",
    "Chunks that stand for anomalies",
    "Stages",
    "What was done, and memory in use",
    "Devices",
    "Lease events",
    "Batch sizes",
    "Changes of the size of calls, in padded tokens",
    "Characters by what became of them",
    "Chunks by document",
    "Input files",
    "Skipped inputs",
    "Most tokens that each model reads",
    "Lengths of the chunks",
    "Sampled chunks",
    "Settings that were given",
    "All settings",
    "Fusion",
    "Files of the run",
    "Models",
    "Files of the models",
  ]);
});

test("figures are those of the run", async () => {
  const page = await pageOf();
  // 40 chunks of 20 to 59 tokens, four of each of ten documents; none above 100 tokens.
  expect(page).toContain('<td>bge</td><td class="n">100</td><td class="n">0</td><td class="n">41</td>');
  expect(page).toContain('<td>document 3.md</td><td class="n">4</td>');
  // Wilson's interval of 45 hits in 50.
  expect(page).toContain('<td class="n">0.900</td><td class="n">0.786 to 0.957</td>');
  expect(page).toContain('<td class="n">0.950</td><td class="n">0.91 to 0.98</td>');
  // Dense work began before chunking ended; its model took 14.5 s for 40 chunks.
  expect(page).toContain(
    '<td>dense</td><td></td><td>vectors</td><td class="n">0.5 s</td><td class="n">20 s</td><td class="n">40</td><td class="n">2</td>',
  );
  expect(page).toContain(
    '<td>dense</td><td>bge</td><td>chunks</td><td class="n">0.5 s</td><td class="n">14.5 s</td><td class="n">40</td><td class="n">2.759</td>',
  );
  expect(page).toContain('<td>10</td><td class="n">20</td><td class="n">0</td><td class="n">200 MB</td>');
  expect(page).toContain("<td>document 7.md</td><td>text 7</td><td>id-7</td>");
  // The query that was not found comes first.
  expect(page).toMatch(
    /<td>sha256:bb<\/td><td>b\.md<\/td><td class="n">2<\/td><td class="n">–<\/td>.*<td>sha256:aa<\/td>/,
  );
  expect(page).toContain("another warning");
  expect(page).toContain("--input");
  expect(matches(page, /<circle [^>]*><title>/g)).toHaveLength(40);
});

test("bars of long paths keep their ends, which tell them apart", async () => {
  const page = await pageOf({ document: (row) => `corpus/documents/of/the/manual/in/english/part-${row % 3}.md` });
  expect(page).toContain('<text x="12" y="22">corpus/documents…english/part-0.md</text>');
  expect(page).toContain("<title>corpus/documents/of/the/manual/in/english/part-0.md: 14</title>");
});

test("the page refers to nothing outside it and runs nothing", async () => {
  const page = await pageOf();
  expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\ssrc=|\son[a-z]+=|https?:/i);
  expect(matches(page, /href="[^#][^"]*"/g)).toEqual([]);
  expect(page).toContain("default-src 'none'");
  expect(page).toContain("prefers-color-scheme:dark");
});

const hostile = [
  `</title></style><script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)`,
  `<!--`,
  `]]>&lt;b&gt;`,
  `\u202egnp.exe\u0000\u001b[31m\ud800`,
];

test.each(hostile)("%j stays text wherever it stands", async (text) => {
  const outcome = { stage: text, reason: text, source: text, model: text, detail: text, degraded: true };
  const page = await pageOf({
    chunks: 3,
    collection: text,
    document: () => text,
    text: () => text,
    manifest: {
      outcomes: [outcome],
      warnings: [text],
      run_id: text,
      generated_at: text,
      versions: { ragline: text },
      inputs: [{ path: text, sha256: text }],
      feature_toggles: { provenance: [{ key: text, value: text, layer: text, source: text }] },
      stages: { [text]: { seconds: 1 } },
      evaluation: { rankings: [{ ranking: text, queries: 1, hitAt1: 1, hitAt10: 1, mrrAt10: 1 }] },
    },
  });
  const harmless = await pageOf({ chunks: 3 });
  const tags = new Set(matches(harmless, /<[a-z/!][a-z0-9]*/gi));
  for (const tag of new Set(matches(page, /<[a-z/!][^\s>]*/gi)))
    expect([...tags, "<span"]).toContain(tag.match(/<[a-z/!][a-z0-9]*/i)?.[0]);
  for (const element of matches(page, /<[a-z][^>]*>/gi))
    expect(element.replace(/"[^"]*"/g, "")).not.toMatch(/\son\w+=/);
  for (const character of ["\u202e", "\u0000", "\u001b"]) expect(page).not.toContain(character);
});

test("the same run gives the same bytes", async () => {
  const { dir, remove } = await makeRun();
  const read = async () => readFile(await writeReport(dir, { tokenLimits }));
  expect((await read()).equals(await read())).toBe(true);
  await remove();
});

test("its size is bounded, whatever the run's", async () => {
  const long = "x".repeat(300);
  const many = <Item>(item: (i: number) => Item): Item[] => Array.from({ length: 3000 }, (_, i) => item(i));
  const page = await pageOf({
    chunks: 5000,
    document: (row) => `${long}${row}`,
    text: () => `${long} ${"<".repeat(300)}`,
    manifest: {
      inputs: many((i) => ({ path: `${long}${i}`, bytes: i })),
      warnings: many((i) => `${long}${i}`),
      outcomes: many((i) => ({ stage: "dense", reason: "text_truncated", source: "runtime", detail: `${long}${i}` })),
      leases: many((i) => ({
        kind: "granted",
        leaseId: `l${i}`,
        stage: "dense",
        model: long,
        device: "cpu:0",
        bytes: 1,
        atMs: i,
      })),
    },
  });
  expect(page.length).toBeLessThan(1_500_000);
  expect(matches(page, /<circle [^>]*><title>/g)).toHaveLength(1000);
  expect(page).toContain("and 2,800 more, see the manifest");
});

test.each([
  ["one chunk", { chunks: 1 }],
  ["two chunks", { chunks: 2 }],
  ["vectors that are all the same", { vector: () => [1, 0, 0, 0, 0] }],
  ["vectors on a line", { vector: (row: number) => [row, 0, 0, 0, 0] }],
])("a map can be drawn of %s", async (_, run) => {
  const page = await pageOf(run);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

test("a manifest without the sections of later versions, and chunks without tokens, still make a page", async () => {
  const page = await pageOf({
    withTokens: false,
    manifest: {
      schema_version: "v4.0",
      ...Object.fromEntries(["dense_run", "coverage", "evaluation"].map((key) => [key, null])),
      ...Object.fromEntries(
        [
          "telemetry",
          "performance_baseline",
          "feature_toggles",
          "stages",
          "leases",
          "models",
          "fusion",
          "inputs",
          "skipped_inputs",
          "outcomes",
          "warnings",
          "anomalies",
          "timeline",
        ].map((key) => [key, undefined]),
      ),
    },
  });
  expect(page).toContain("Lengths in characters");
  expect(page).toContain("Everything went as asked.");
  expect(page).toContain("This run made no self-audit");
  expect(page).toContain("The manifest has no samples over time");
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

test("the page names its manifest, and a file that is no such page is left as it is", async () => {
  const { dir, remove } = await makeRun();
  const path = await writeReport(dir);
  const { manifest_sha256: sha256 } = JSON.parse(await readFile(join(dir, MANIFEST_NAME), "utf8"));
  expect(await readReportMark(path)).toBe(sha256);
  await writeFile(path, "<p>my own report</p>");
  await expect(writeReport(dir)).rejects.toThrow(/is no report page of Ragline, so it was left as it is/);
  expect((await stat(path)).size).toBe(20);
  await rm(path);
  await remove();
});
