import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { evaluationOf } from "./evaluation.fixture.js";
import type { EvaluationContent } from "./evaluation-content.js";
import { writeEvaluationReport } from "./write-evaluation-report.js";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ragline-evaluation-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function pageOf(content: EvaluationContent): Promise<string> {
  return readFile(await writeEvaluationReport(join(dir, "made", "page.html"), content, "0.1.0"), "utf8");
}

test("figures, differences and queries are those of the evaluation, each plot with a name", async () => {
  const page = await pageOf(evaluationOf());
  expect(page.match(/(?<=role="img" aria-label=")[^"]+/g)).toEqual([
    "nDCG@10 of every ranking, with intervals",
    "MAP of every ranking, with intervals",
    "Queries that fused does better and worse on than bge",
    "How many queries have which nDCG@10",
  ]);
  expect(page).toContain('<td>fused</td><td>fused</td><td class="n">0.6875</td><td class="n">0.5875 to 0.7875</td>');
  expect(page).toContain(
    '<td>fused - bge</td><td>nDCG@10</td><td class="n">+0.0625</td><td class="n">-0.2000 to +0.3000</td>',
  );
  // q2 and q3 are better, q1 is the same, q4 is worse.
  expect(page).toContain("<title>better: 2</title>");
  expect(page).toContain("<title>worse: 1</title>");
  // The hardest for the last ranking first.
  expect(page.match(/(?<=<td>)q\d(?=<\/td>)/g)).toEqual(["q3", "q4", "q1", "q2"]);
  expect(page).toContain("2 judged queries have no text");
  expect(await pageOf(evaluationOf())).toBe(page);
});

test("names stay text, and nothing is asked for", async () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;
  const { dataset, modes } = evaluationOf();
  const page = await pageOf(
    evaluationOf({
      dataset: { ...dataset, name: hostile, split: hostile },
      queries: [hostile, "b", "c", "d"],
      modes: modes.map((mode) => ({ ...mode, name: hostile })),
      comparisons: [{ a: hostile, b: hostile, metrics: [] }],
      run: { collection: hostile },
      warnings: [{ detail: hostile, count: 1 }],
    }),
  );
  expect(page).not.toMatch(/<script|<img|<link|@import|url\(|https?:/i);
  expect(page).toContain("default-src 'none'");
});

test("run files alone, without comparisons or warnings, still make a page", async () => {
  const page = await pageOf(evaluationOf({ run: null, comparisons: [], warnings: [] }));
  expect(page).toContain("Nothing was compared.");
  expect(page).toContain("Every query, judgement and document counts.");
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

test("a page that cannot be written is an error that names it", async () => {
  await writeFile(join(dir, "file"), "");
  await expect(writeEvaluationReport(join(dir, "file", "page.html"), evaluationOf(), "0.1.0")).rejects.toThrow("file");
});
