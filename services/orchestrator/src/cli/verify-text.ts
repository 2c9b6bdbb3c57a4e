import type { DenseComparison, RunVerification, VerifyProblem } from "@ragline/artifacts";
import type { SourceVerification } from "../core/verify-sources.js";
import { newTable } from "./new-table.js";

const hashShown = 12;
const shorten = (hash: string | undefined): string => (hash ? hash.slice(0, hashShown) : "not there");
const countOf = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

function problemLine({ file, kind, detail, row }: VerifyProblem): string {
  return `  ${kind}: ${file} ${detail}${row === undefined ? "" : ` (row ${row})`}`;
}

/** What a person reads of a verification: a table of the files, what is wrong, and a closing line. */
export function verificationText(verification: RunVerification, seconds: number): string {
  const { dir, collection, files, problems, warnings, checked } = verification;
  const table = newTable(["file", "bytes", "sha256", "intact"], ["left", "right", "left", "left"]);
  for (const { name, bytes, sha256, intact } of files)
    table.push([name, bytes, shorten(sha256), intact ? "yes" : "NO"]);
  const parts = [`Run in ${dir}${collection === "" ? "" : `, collection ${collection}`}`, table.toString()];
  if (warnings.length > 0) parts.push(`Warnings:\n${warnings.map((warning) => `  ${warning}`).join("\n")}`);
  if (problems.length > 0) parts.push(`Problems:\n${problems.map(problemLine).join("\n")}`);
  const { chunks, denseVectors, sparseVectors, points, rerankedQueries, bytes } = checked;
  const counts = [
    countOf(chunks, "chunk"),
    countOf(denseVectors, "dense vector"),
    countOf(sparseVectors, "sparse vector"),
    countOf(points, "point"),
    countOf(rerankedQueries, "reranked query", "reranked queries"),
  ].join(", ");
  const verdict = problems.length === 0 ? "Sound" : countOf(problems.length, "problem");
  const megabytes = (bytes / 1e6).toFixed(1);
  parts.push(`${verdict}: ${counts}; ${megabytes} MB in ${seconds.toFixed(2)} s`);
  return parts.join("\n\n");
}

/** What a person reads of the check against the run's documents. */
export function sourcesText({ sound, changed, missing, problems }: SourceVerification): string {
  const parts = [
    `${countOf(sound, "document")} read again: every byte is in one chunk, or counted as the manifest says.`,
  ];
  if (changed.length > 0)
    parts.push(`Changed since the run, so not compared:\n${changed.map((path) => `  ${path}`).join("\n")}`);
  if (missing.length > 0) parts.push(`Not there any more:\n${missing.map((path) => `  ${path}`).join("\n")}`);
  if (problems.length > 0)
    parts.push(
      `Documents that are not accounted for:\n${problems.map(({ path, detail }) => `  ${path} ${detail}`).join("\n")}`,
    );
  return parts.join("\n");
}

/** What a person reads of a comparison of dense files. */
export function comparisonText(differences: readonly DenseComparison[], baseline: string): string {
  const table = newTable(["dense file", "run", "baseline", "same"], ["left", "left", "left", "left"]);
  for (const { part, run, baseline: other, equal } of differences)
    table.push([part, shorten(run), shorten(other), equal ? "yes" : "NO"]);
  const different = differences.filter(({ equal }) => !equal).length;
  const verdict =
    different === 0
      ? `All ${differences.length} dense files are those of the baseline.`
      : `${different} of ${differences.length} dense files differ from the baseline's.`;
  return [`Compared with ${baseline}`, table.toString(), verdict].join("\n\n");
}
