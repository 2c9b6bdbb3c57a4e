import { barChart } from "./bar-chart.js";
import { details, type Section, table } from "./elements.js";
import { number } from "./format.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

interface BatchSize {
  readonly stage: string;
  readonly model: string;
  readonly batches: number;
  readonly mean: number | undefined;
}

/** Mean texts in a call, from how many calls each model took. */
function batchSizes({ manifest }: ReportContent): BatchSize[] {
  const { telemetry } = manifest;
  const sizes: BatchSize[] = [];
  for (const [stage, { values }] of Object.entries(telemetry?.metrics ?? {})) {
    for (const value of Array.isArray(values) ? values : []) {
      const { name, labels, count, sum } = value as Readonly<Record<string, unknown>>;
      if (typeof name !== "string" || !name.endsWith("_batch_size")) continue;
      if (typeof count !== "number" || typeof sum !== "number") continue;
      const { model } = (labels ?? {}) as Readonly<Record<string, unknown>>;
      sizes.push({
        stage,
        model: typeof model === "string" ? model : "",
        batches: count,
        mean: count > 0 ? sum / count : undefined,
      });
    }
  }
  if (sizes.length > 0) return sizes;
  return Object.entries(manifest.dense_run?.batches_per_model ?? {}).flatMap(([model, batches]) =>
    typeof batches === "number" && batches > 0
      ? { stage: "dense", model, batches, mean: manifest.chunk_count / batches }
      : [],
  );
}

/** How large the calls of the models were, and what changed that. */
export function batchSection(content: ReportContent): Section {
  const sizes = batchSizes(content);
  const resizes = content.manifest.performance_baseline?.batch_resizes ?? [];
  const bars = sizes.map(({ stage, model, mean = 0 }) => ({
    label: model === "" ? stage : `${stage}: ${model}`,
    to: mean,
    text: number(mean, 1),
  }));
  const resizeRows = resizes.map((resize) => [
    resize.stage,
    resize.model,
    resize.cause.replaceAll("_", " "),
    resize.from_tokens,
    resize.to_tokens,
  ]);
  return {
    id: "batches",
    title: "Batch sizes and resizes",
    content: html`${
      bars.length > 0
        ? html`${barChart(bars, { label: "Mean size of the models' calls", axis: "mean items in one call" })}
${details(
  "Batch sizes as a table",
  table(
    sizes.map(({ stage, model, batches, mean }) => [stage, model, batches, mean]),
    { caption: "Batch sizes", head: ["stage", "model", "calls", "mean size"], textColumns: 2 },
  ),
)}`
        : html`<p>No model told how large its calls were.</p>
`
    }${
      resizeRows.length > 0
        ? table(resizeRows, {
            caption: "Changes of the size of calls, in padded tokens",
            head: ["stage", "model", "cause", "from", "to"],
            textColumns: 3,
            maxRows: 300,
          })
        : html`<p>The size of calls was never changed.</p>
`
    }`,
  };
}
