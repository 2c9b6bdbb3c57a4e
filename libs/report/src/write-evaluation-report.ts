import { resolve } from "node:path";
import { placeText } from "@ragline/files";
import { figures } from "./elements.js";
import type { EvaluationContent } from "./evaluation-content.js";
import { evaluationSections } from "./evaluation-sections.js";
import { number } from "./format.js";
import { html } from "./html.js";
import { renderPage } from "./render-page.js";

/**
 * Writes what `ragline eval` found as a page: one file without scripts that refers to nothing outside it, and holds no text
 * of a query. The same content gives the same bytes. A file of that name is replaced.
 * @returns its path.
 * @throws what the file system says when it cannot be written.
 */
export async function writeEvaluationReport(
  path: string,
  content: EvaluationContent,
  version: string,
): Promise<string> {
  const { dataset, modes } = content;
  const [metric = ""] = Object.keys(modes[0]?.metrics ?? {});
  const best = [...modes].sort((a, b) => (b.metrics[metric]?.mean ?? 0) - (a.metrics[metric]?.mean ?? 0))[0];
  const page = renderPage({
    title: `${dataset.name}: Ragline evaluation`,
    heading: dataset.name,
    version,
    intro: html`<p>Rankings measured on a test collection, as trec_eval does.</p>
${figures([
  ["queries", number(dataset.queries)],
  ["judgements", number(dataset.judgements)],
  ["rankings", number(modes.length)],
  [`best ${metric}`, best ? `${(best.metrics[metric]?.mean ?? 0).toFixed(4)} (${best.name})` : "–"],
])}`,
    sections: evaluationSections(content),
    footer: `${dataset.format}${dataset.split === "" ? "" : `, ${dataset.split}`}. Ragline ${version}. The page holds no time: the same evaluation gives the same bytes.`,
  });
  const absolute = resolve(path);
  await placeText(absolute, page);
  return absolute;
}
