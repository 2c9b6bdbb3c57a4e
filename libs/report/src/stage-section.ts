import { type Bar, barChart } from "./bar-chart.js";
import { details, type Section, table } from "./elements.js";
import { seconds } from "./format.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

/** A stage, or a model within it, on the time axis. */
interface Span {
  readonly stage: string;
  /** Empty for the stage as a whole. */
  readonly model: string;
  readonly from: number;
  readonly to: number;
}

/** Stages where they were on the timeline; one after the other where a manifest tells their seconds alone. */
function stageSpans({ stages = {} }: ReportContent["manifest"]): Span[] {
  let elapsed = 0;
  return Object.entries(stages).map(([stage, { seconds: took = 0, start_seconds: start, end_seconds: end }]) => {
    const from = start ?? elapsed;
    const to = end ?? from + took;
    elapsed = Math.max(elapsed, to);
    return { stage, model: "", from, to };
  });
}

function modelSpans({ timeline }: ReportContent["manifest"]): Span[] {
  return (timeline?.work ?? []).flatMap(({ stage, model, start_seconds: from, end_seconds: to }) =>
    model === "" ? [] : { stage, model, from, to: to ?? from },
  );
}

/** When the stages and their models worked, and what they did per second. */
export function stageSection({ manifest }: ReportContent): Section {
  const stages = stageSpans(manifest);
  const models = modelSpans(manifest);
  const spans = stages.flatMap((span) => [span, ...models.filter(({ stage }) => stage === span.stage)]);
  const names = stages.map(({ stage }) => stage);
  const bars = spans.map(
    ({ stage, model, from, to }): Bar => ({
      label: model === "" ? stage : `${stage}: ${model}`,
      from,
      to,
      text: seconds(to - from),
      colour: names.indexOf(stage) % 8,
    }),
  );
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
  const work = new Map(manifest.timeline?.work.map((one) => [`${one.stage} ${one.model}`, one]));
  const rows = spans.map(({ stage, model, from, to }) => {
    const known = model === "" ? undefined : work.get(`${stage} ${model}`);
    const [done, unit] = known ? [known.items, known.unit] : (items[stage] ?? [undefined, ""]);
    const took = to - from;
    const rate = done === undefined || took <= 0 ? undefined : done / took;
    return [stage, model, unit, seconds(from), seconds(took), done, rate];
  });
  return {
    id: "stages",
    title: "Stages",
    content: html`${barChart(bars, { label: "Timeline of the stages", axis: "seconds since the start of the run" })}
${details("Stages as a table", table(rows, { caption: "Stages", head: ["stage", "model", "counts", "began at", "time", "items", "items/s"], textColumns: 3 }))}
<p class="note">Documents are read and cut while the first model works. The export writes this run's manifest, so its time is that until all other files were staged; putting them into place comes after.</p>
`,
  };
}
