import { scaleLinear } from "d3-scale";
import { number } from "./format.js";
import { type Html, html } from "./html.js";

/** A line of a chart. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** How a line chart is drawn. */
export interface LineChartOptions {
  /** What a screen reader says of the plot. */
  readonly label: string;
  /** What the horizontal axis counts, with its unit. */
  readonly axis: string;
  /** What the vertical axis counts, with its unit. */
  readonly valueAxis: string;
}

/** Lines that can be told apart by colour and dashes. */
const looks = 8;
const [width, height] = [640, 340];
const [left, right, top, bottom] = [96, 16, 40, 74];

/** Values over something that goes on, with a legend. Lines beyond eight look like earlier ones. */
export function lineChart(lines: readonly Line[], { label, axis, valueAxis }: LineChartOptions): Html {
  let [end, largest] = [0, 0];
  for (const { points } of lines)
    for (const [x, y] of points) {
      end = Math.max(end, x);
      largest = Math.max(largest, y);
    }
  const x = scaleLinear([0, end || 1], [left, width - right]);
  const y = scaleLinear([0, largest || 1], [height - bottom, top]).nice(4);
  const rows = y
    .ticks(4)
    .map(
      (tick) =>
        html`<line class="grid" x1="${left}" x2="${width - right}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}"/><text class="tick" x="${left - 8}" y="${(y(tick) + 5).toFixed(1)}" text-anchor="end">${number(tick, 2)}</text>`,
    );
  const ticks = x
    .ticks(5)
    .map(
      (tick) =>
        html`<text class="tick" x="${x(tick).toFixed(1)}" y="${height - bottom + 28}" text-anchor="${x(tick) > width - 40 ? "end" : "middle"}">${number(tick, 2)}</text>`,
    );
  const paths = lines.map(({ name, points }, i) => {
    const path = points.map(([px, py], at) => `${at === 0 ? "M" : "L"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`);
    return html`<path class="line l${i % looks}" d="${path.join("")}"><title>${name}</title></path>`;
  });
  const legend = lines.map(
    ({ name }, i) =>
      html`<li><svg class="key wide" viewBox="0 0 36 12" aria-hidden="true"><path class="line l${i % looks}" d="M0 6H36"/></svg>${name}</li>`,
  );
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${rows}${ticks}${paths}<text class="tick" x="${left}" y="22">${valueAxis}</text><text class="tick" x="${(left + width - right) / 2}" y="${height - 14}" text-anchor="middle">${axis}</text></svg>
<ul class="legend">${legend}</ul>
`;
}
