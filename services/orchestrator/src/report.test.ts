import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { verifyRun } from "@ragline/artifacts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directoryOf, documents, manifestOf, runHere } from "./run-fixture.js";

type Directory = Awaited<ReturnType<typeof directoryOf>>;
let directory: Directory;
const outputDir = () => join(directory.path, "out");
const page = () => join(outputDir(), "report.html");

beforeAll(async () => {
  directory = await directoryOf(documents);
});
afterAll(() => directory.remove());

const run = (report: boolean) =>
  runHere({
    input: [join(directory.path, "leases.md")],
    collections: ["docs"],
    outputDir: outputDir(),
    ensembleModels: ["all-miniLM-l6"],
    sparseModels: ["qdrant-bm25"],
    enableRerank: false,
    auditQueries: 0,
    report,
  });

test("a page is drawn of the run's own manifest; verify takes it for no stray file", async () => {
  const { collections } = await run(true);
  expect(collections[0]?.report).toBe(page());
  const { manifest_sha256: sha256 } = await manifestOf(outputDir());
  const text = await readFile(page(), "utf8");
  expect(text).toContain(`<meta name="ragline-manifest-sha256" content="${String(sha256)}">`);
  expect(text).toContain("Device leases");
  expect(await verifyRun(outputDir())).toMatchObject({ problems: [], warnings: [] });
});

test("verify tells of a page of another run", async () => {
  const text = await readFile(page(), "utf8");
  await writeFile(page(), text.replace(/(manifest-sha256" content=")[0-9a-f]{64}/, `$1${"0".repeat(64)}`));
  expect((await verifyRun(outputDir())).warnings).toEqual([
    expect.stringContaining("report.html is the page of another run"),
  ]);
});

test("a run without a report removes that of the run before it", async () => {
  const { collections } = await run(false);
  expect(collections[0]?.report).toBeNull();
  expect(await readdir(outputDir())).not.toContain("report.html");
});

test("a file of that name that is no report stays, is told, and costs nothing else", async () => {
  await writeFile(page(), "<p>mine</p>");
  const { collections, degraded } = await run(true);
  expect(degraded).toBe(false);
  expect(collections[0]?.report).toBeNull();
  expect(collections[0]?.warnings).toMatchObject([{ stage: "export", reason: "execution_failed", degraded: false }]);
  expect(await readFile(page(), "utf8")).toBe("<p>mine</p>");
  await rm(page());
});
