import { type Section, table } from "./elements.js";
import { type Html, html } from "./html.js";
import type { ReportContent } from "./report-content.js";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Whatever did not go as asked. */
export function outcomeSection({ manifest }: ReportContent): Section {
  const outcomes = manifest.outcomes ?? [];
  const details = new Set(outcomes.map(({ detail }) => detail));
  const warnings = (manifest.warnings ?? [])
    .filter((warning) => !details.has(warning))
    .map((warning) => [text(warning)]);
  const parts: Html[] = [];
  if (outcomes.length > 0)
    parts.push(
      table(
        outcomes.map(({ stage, reason, source, model, detail, count, degraded }) => [
          degraded ? "degraded" : "note",
          stage,
          reason.replaceAll("_", " "),
          text(model),
          text(detail),
          source,
          typeof count === "number" ? count : undefined,
        ]),
        {
          caption: "Outcomes",
          head: ["kind", "stage", "reason", "model", "what happened", "source", "count"],
          textColumns: 6,
        },
      ),
    );
  if (warnings.length > 0) parts.push(table(warnings, { caption: "Warnings", head: ["warning"] }));
  return {
    id: "outcomes",
    title: "Warnings and outcomes",
    content:
      parts.length > 0
        ? html`${parts}`
        : html`<p>Everything went as asked.</p>
`,
  };
}
