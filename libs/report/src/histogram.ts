import { max } from "d3-array";
import { scaleLinear } from "d3-scale";
import { number } from "./format.js";
import { type Html, html } from "./html.js";

/** Counts of values between two bounds. */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** How a histogram is drawn. */
export interface HistogramOptions {
  /** What a screen reader says of the plot. */
  readonly label: string;
  /** What the horizontal axis counts. */
  readonly axis: string;
  /** Vertical lines with a name. @default none */
  readonly limits?: readonly { readonly name: string; readonly value: number }[];
  /** Decimals of the horizontal axis. @default 0 */
  readonly digits?: number;
}

const [width, height] = [640, 350];
const [left, right, top, bottom] = [96, 16, 16, 74];

/** How often values occur, as columns. */
export function histogram(bins: readonly Bin[], { label, axis, limits = [], digits = 0 }: HistogramOptions): Html {
  const end = Math.max(bins.at(-1)?.to ?? 1, ...limits.map(({ value }) => value));
  const x = scaleLinear([0, end], [left, width - right]).nice(5);
  const y = scaleLinear([0, max(bins, ({ count }) => count) || 1], [height - bottom, top]).nice(4);
  const columns = bins.map(({ from, to, count }) => {
    const columnWidth = Math.max(1, x(to) - x(from) - 1);
    return html`<rect class="c0" x="${x(from).toFixed(1)}" y="${y(count).toFixed(1)}" width="${columnWidth.toFixed(1)}" height="${(height - bottom - y(count)).toFixed(1)}"><title>${number(from, digits)} to ${number(to, digits)}: ${number(count)}</title></rect>`;
  });
  const rows = y
    .ticks(4)
    .filter(Number.isInteger)
    .map(
      (tick) =>
        html`<line class="grid" x1="${left}" x2="${width - right}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}"/><text class="tick" x="${left - 8}" y="${(y(tick) + 5).toFixed(1)}" text-anchor="end">${number(tick)}</text>`,
    );
  const ticks = x
    .ticks(5)
    .map(
      (tick) =>
        html`<text class="tick" x="${x(tick).toFixed(1)}" y="${height - bottom + 28}" text-anchor="${x(tick) > width - 40 ? "end" : "middle"}">${number(tick, digits)}</text>`,
    );
  const lines = limits.map(
    ({ name, value }) =>
      html`<g><title>${name}: ${number(value)}</title><path class="mark" d="M${x(value).toFixed(1)} ${top}V${height - bottom}"/></g>`,
  );
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${rows}${ticks}${columns}${lines}<text class="tick" x="${(left + width - right) / 2}" y="${height - 14}" text-anchor="middle">${axis}</text></svg>
`;
}
