import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ArtifactError, openRun, REPORT_NAME, readReportMark, runStatsSchema } from "@ragline/artifacts";
import { placeText } from "@ragline/files";
import { shorten } from "./format.js";
import { gatherChunks } from "./gather-chunks.js";
import { project, sampleVectors } from "./project-sample.js";
import { renderReport } from "./render-report.js";

/** What a report page is made with. */
export interface WriteReportOptions {
  /** Path of the manifest. @default processing_summary.json in the run's directory */
  readonly summaryPath?: string;
  /** Most tokens that each model reads, by registry key. @default no limits are drawn */
  readonly tokenLimits?: Readonly<Record<string, number>>;
  /** Chunks on the map at most. @default 1000 */
  readonly sampleSize?: number;
}

const previewCharacters = 160;
const maxStrange = 200;

/** How a chunk begins, on one line. */
function previewOf({ text }: { readonly text: string }): string {
  const start = text
    .slice(0, previewCharacters * 4)
    .replace(/\s+/g, " ")
    .trim();
  return shorten(start, previewCharacters);
}

/**
 * Writes `report.html` beside the artifacts of a finished run: one file without scripts that refers to nothing outside
 * it. Its size is bounded whatever the run's; artifacts are read as streams. The same run gives the same bytes.
 * @returns its path.
 * @throws ArtifactError when the directory holds no whole run, or a file of that name that is no such page; what the file system says when it cannot be written.
 */
export async function writeReport(dir: string, options: WriteReportOptions = {}): Promise<string> {
  const { summaryPath, tokenLimits = {}, sampleSize = 1000 } = options;
  const run = await openRun(dir, summaryPath === undefined ? {} : { summaryPath });
  const path = join(run.dir, REPORT_NAME);
  if (existsSync(path) && (await readReportMark(path)) === undefined)
    throw new ArtifactError(
      "INVALID_ARGUMENT",
      `${path} is no report page of Ragline, so it was left as it is. Move it away, or use --no-report.`,
    );
  const stats = runStatsSchema.parse(JSON.parse(await readFile(join(run.dir, run.names.stats), "utf8")));
  const chunks = await gatherChunks(run, sampleSize);
  const rows = chunks.sample.map(({ row }) => row);
  const previews = (await run.chunksAt(rows, chunks.lines)).map(previewOf);
  const strange = [...new Set((run.manifest.anomalies ?? []).flatMap(({ examples }) => examples.map(({ row }) => row)))]
    .filter((row) => row < run.chunkCount)
    .slice(0, maxStrange);
  const anomalyPreviews = new Map(
    (await run.chunksAt(strange, chunks.lines)).map((chunk) => [chunk.index, previewOf(chunk)]),
  );
  const map = { model: run.dense[0]?.name ?? "", ...project(await sampleVectors(run, rows)) };
  await placeText(
    path,
    renderReport({ manifest: run.manifest, stats, chunks, map, previews, anomalyPreviews, tokenLimits }),
  );
  return path;
}
