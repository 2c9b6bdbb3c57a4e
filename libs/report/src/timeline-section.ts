import type { Manifest } from "@ragline/artifacts";
import { details, type Section, table } from "./elements.js";
import { bytes, number } from "./format.js";
import { html } from "./html.js";
import { type Line, lineChart } from "./line-chart.js";
import type { ReportContent } from "./report-content.js";

type Timeline = NonNullable<Manifest["timeline"]>;

/** Samples that a rate is taken over: single ones jump with every batch. */
const samplesPerRate = 4;

/** Items per second of each model, from its start to its end. */
function rates({ work, at_seconds: at }: Timeline): Line[] {
  return work
    .filter(({ model, items }) => model !== "" && items > 0)
    .map(({ stage, model, unit, done, start_seconds: start, end_seconds: end }) => {
      const points: [number, number][] = [[start, 0]];
      at.forEach((time, i) => {
        if (time <= start || time > (end ?? Infinity)) return;
        const from = Math.max(start, at[i - samplesPerRate] ?? 0);
        const before = from === start ? 0 : (done[i - samplesPerRate] ?? 0);
        points.push([time, time > from ? ((done[i] ?? 0) - before) / (time - from) : 0]);
      });
      if (end !== null) points.push([end, points.at(-1)?.[1] ?? 0], [end, 0]);
      return { name: `${stage}: ${model} (${unit})`, points };
    });
}

/** What the run did over time, and how much memory it took. */
export function timelineSection({ manifest }: ReportContent): Section {
  const { timeline } = manifest;
  const title = "Throughput and memory over time";
  if (!timeline || timeline.at_seconds.length === 0)
    return {
      id: "timeline",
      title,
      content: html`<p>The manifest has no samples over time: the run was made by an earlier version.</p>
`,
    };
  const { at_seconds: at, period_seconds: period, work, memory } = timeline;
  const models = work.filter(({ model, items }) => model !== "" && items > 0);
  const throughput = rates(timeline);
  const memoryLines = memory.map(
    ({ name, bytes: sizes }): Line => ({ name, points: sizes.map((size, i) => [at[i] ?? 0, size / 1e6]) }),
  );
  const axis = "seconds since the start of the run";
  return {
    id: "timeline",
    title,
    content: html`${
      throughput.length > 0
        ? html`<h3>Throughput</h3>
${lineChart(throughput, { label: "Items per second of each model over time", axis, valueAxis: "items per second" })}`
        : undefined
    }<h3>Memory</h3>
${lineChart(memoryLines, { label: "Memory in use over time", axis, valueAxis: "MB" })}
<p class="note">Sampled every ${number(period, 2)} s. A device in use is what its workers told last; the orchestrator is its own process.</p>
${details(
  "Samples as a table",
  table(
    at.map((time, i) => [
      number(time, 2),
      ...models.map(({ done }) => done[i] ?? 0),
      ...memory.map(({ bytes: sizes }) => bytes(sizes[i])),
    ]),
    {
      caption: "What was done, and memory in use",
      head: ["at s", ...models.map(({ stage, model }) => `${stage}: ${model}`), ...memory.map(({ name }) => name)],
    },
  ),
)}`,
  };
}
