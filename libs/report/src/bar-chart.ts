import { scaleLinear } from "d3-scale";
import { number, shortenMiddle } from "./format.js";
import { type Html, html } from "./html.js";

/** One line of a chart of bars. */
export interface Bar {
  readonly label: string;
  /** Where the bar begins. @default 0 */
  readonly from?: number;
  /** Where it ends. */
  readonly to: number;
  /** The figure as it is read. */
  readonly text: string;
  /** Which of the page's colours, from 0. @default 0 */
  readonly colour?: number;
  /** Ends of a whisker: the interval that the value lies in. */
  readonly interval?: readonly [low: number, high: number];
  /** A mark across the bar, such as a limit. */
  readonly mark?: number;
}

/** How a bar chart is drawn. */
export interface BarChartOptions {
  /** What a screen reader says of the plot. */
  readonly label: string;
  /** Right end of the axis. @default the largest value */
  readonly max?: number;
  /** What the axis counts, with its unit. */
  readonly axis: string;
  /** Bars that are drawn at most. @default 40 */
  readonly maxBars?: number;
}

const width = 640;
const rowHeight = 56;
const axisHeight = 66;
const inset = 12;

/** Labels at the ends of the axis stay within the plot. */
const anchor = (x: number): string => (x < 30 ? "start" : x > width - 30 ? "end" : "middle");

/** Horizontal bars with their names above them, so that both are readable on a narrow screen. */
export function barChart(bars: readonly Bar[], options: BarChartOptions): Html {
  const { label, axis, maxBars = 40 } = options;
  const shown = bars.slice(0, maxBars);
  const largest = Math.max(...shown.flatMap(({ to, interval, mark }) => [to, interval?.[1] ?? 0, mark ?? 0]), 0);
  const scale = scaleLinear([0, (options.max ?? largest) || 1], [inset, width - inset]);
  if (options.max === undefined) scale.nice(4);
  const height = shown.length * rowHeight + axisHeight;
  const at = (value: number): string => scale(value).toFixed(1);
  const bottom = shown.length * rowHeight + 4;
  const ticks = scale
    .ticks(4)
    .map(
      (tick) =>
        html`<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="4" y2="${bottom}"/><text class="tick" x="${at(tick)}" y="${bottom + 24}" text-anchor="${anchor(scale(tick))}">${number(tick, 3)}</text>`,
    );
  const rows = shown.map(({ label: name, from = 0, to, text, colour = 0, interval, mark }, i) => {
    const y = i * rowHeight;
    const length = Math.max(2, scale(to) - scale(from)).toFixed(1);
    const middle = y + 39;
    return html`<g><title>${name}: ${text}</title><text x="${inset}" y="${y + 22}">${shortenMiddle(name, 34)}</text><text class="value" x="${width - inset}" y="${y + 22}" text-anchor="end">${text}</text><rect class="c${colour}" x="${at(from)}" y="${y + 32}" width="${length}" height="14" rx="2"/>${
      interval
        ? html`<path class="whisker" d="M${at(interval[0])} ${middle - 5}v10M${at(interval[0])} ${middle}H${at(interval[1])}M${at(interval[1])} ${middle - 5}v10"/>`
        : undefined
    }${mark === undefined ? undefined : html`<path class="mark" d="M${at(mark)} ${y + 29}v20"/>`}</g>`;
  });
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${ticks}${rows}<text class="tick" x="${width / 2}" y="${bottom + 54}" text-anchor="middle">${axis}</text></svg>${
    bars.length > shown.length
      ? html`<p class="note">and ${number(bars.length - shown.length)} more, see the table</p>`
      : undefined
  }
`;
}
