import { details, type Section, table } from "./elements.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

/** What is strange about chunks and their vectors, each with examples. */
export function anomalySection({ manifest, anomalyPreviews }: ReportContent): Section {
  const { anomalies } = manifest;
  const title = "Anomalies";
  if (!anomalies || anomalies.length === 0)
    return {
      id: "anomalies",
      title,
      content: html`<p>${anomalies ? "Nothing about the chunks and their vectors is strange." : "The manifest has none: the run was made by an earlier version."}</p>
`,
    };
  const name = (kind: string): string => kind.replaceAll("_", " ");
  const examples = anomalies.flatMap(({ kind, model, examples: of }) =>
    of.map(({ row, id, document }) => [name(kind), model, document, anomalyPreviews.get(row) ?? "", id, row]),
  );
  return {
    id: "anomalies",
    title,
    content: html`${table(
      anomalies.map(({ kind, model, count, detail }) => [name(kind), model, detail, count]),
      { caption: "Anomalies", head: ["kind", "model or ranking", "what it is", "chunks"], textColumns: 3 },
    )}${details(
      "Chunks that stand for them",
      table(examples, {
        caption: "Chunks that stand for anomalies",
        head: ["kind", "model or ranking", "document", "beginning", "point", "row"],
        textColumns: 5,
      }),
    )}`,
  };
}
