import { details, type Section, table } from "./elements.js";
import { number, percent, shorten } from "./format.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";
import { scatterPlot } from "./scatter-plot.js";

/** Documents with a colour of their own; all others share the last one. */
const ownColours = 7;
const otherColour = 7;

/** The vectors of a sample of the chunks on a plane, coloured by document. */
export function mapSection({ chunks, map, previews, manifest }: ReportContent): Section {
  const { sample, documents } = chunks;
  const colours = new Map(documents.slice(0, ownColours).map(([document], i) => [document, i]));
  const points = sample.map(({ row, document }, i) => ({
    x: map.points[i]?.x ?? 0,
    y: map.points[i]?.y ?? 0,
    colour: colours.get(document) ?? otherColour,
    title: `${shorten(document, 80)}, row ${row}: ${previews[i] ?? ""}`,
  }));
  const others = documents.length - colours.size;
  const legend = [...colours].map(
    ([document, i]) =>
      html`<li><svg class="key" viewBox="0 0 12 12" aria-hidden="true"><circle class="c${i}" cx="6" cy="6" r="6"/></svg>${shorten(document, 60)}</li>`,
  );
  if (others > 0)
    legend.push(
      html`<li><svg class="key" viewBox="0 0 12 12" aria-hidden="true"><circle class="c${otherColour}" cx="6" cy="6" r="6"/></svg>${number(others)} other documents</li>`,
    );
  const [first, second] = map.explained;
  return {
    id: "map",
    title: "Map of the chunks",
    content: html`<p>${number(sample.length)} of ${number(manifest.chunk_count)} chunks by their vectors of ${map.model}, on the plane of the two largest principal components (${percent(first)} and ${percent(second)} of the variance). Points that are close have vectors that are alike; far ones may still be close in the dimensions that are not shown.</p>
${scatterPlot(points, "Map of a sample of the chunks, coloured by document")}<ul class="legend">${legend}</ul>
<p class="note">Hold the pointer on a point to read how its chunk begins.</p>
${details(
  "The sample as a table",
  table(
    sample.map(({ row, document }, i) => [
      document,
      previews[i] ?? "",
      row,
      map.points[i]?.x.toFixed(4),
      map.points[i]?.y.toFixed(4),
    ]),
    { caption: "Sampled chunks", head: ["document", "beginning", "row", "x", "y"], textColumns: 2, maxRows: 250 },
  ),
)}`,
  };
}
