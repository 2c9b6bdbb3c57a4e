import type { Bar } from "./bar-chart.js";
import { barChart } from "./bar-chart.js";
import { details, type Section, table } from "./elements.js";
import { seconds } from "./format.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

/** The stages one after the other, and what they did per second. */
export function stageSection({ manifest }: ReportContent): Section {
  let elapsed = 0;
  const bars = Object.entries(manifest.stages ?? {}).map(([label, stage]): Bar => {
    const from = elapsed;
    elapsed += stage.seconds ?? 0;
    return { label, from, to: elapsed, text: seconds(stage.seconds) };
  });
  const { dense_run: dense, sparse_run: sparse, rerank_run: rerank } = manifest;
  const items: Readonly<Record<string, readonly [number | undefined, string]>> = {
    chunk: [manifest.chunk_count, "chunks"],
    dense: [dense?.total_embeddings_generated, "vectors"],
    sparse: [
      sparse ? manifest.chunk_count * (Array.isArray(sparse.model_names) ? sparse.model_names.length : 1) : undefined,
      "vectors",
    ],
    rerank: [rerank?.executed ? Number(rerank["queries"] ?? 0) : undefined, "queries"],
  };
  const rows = bars.map(({ label, from = 0, to, text }) => {
    const [done, unit] = items[label] ?? [undefined, ""];
    const span = to - from;
    return [label, unit, text, done, done === undefined || span <= 0 ? undefined : done / span];
  });
  return {
    id: "stages",
    title: "Stages",
    content: html`${barChart(bars, { label: "Timeline of the stages", axis: "seconds since the start of the first stage" })}
${details("Stages as a table", table(rows, { caption: "Stages", head: ["stage", "counts", "time", "items", "items/s"], textColumns: 2 }))}
<p class="note">The export writes this run's manifest, so its own time is not in it.</p>
`,
  };
}
