import { extent } from "d3-array";
import { scaleLinear } from "d3-scale";
import { type Html, html } from "./html.js";

/** A point of a map. */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** Which of the page's colours, from 0. */
  readonly colour: number;
  /** Shown while the pointer is on it. */
  readonly title: string;
}

const [width, height, margin] = [640, 480, 16];

function axis(values: readonly number[], range: readonly [number, number]): (value: number) => string {
  const [low = 0, high = 0] = extent(values);
  // Points that are all the same stand in the middle.
  const scale = scaleLinear(low === high ? [low - 1, high + 1] : [low, high], range);
  return (value) => scale(value).toFixed(1);
}

/** Points on a plane whose axes have no unit. */
export function scatterPlot(points: readonly Point[], label: string): Html {
  const x = axis(
    points.map((point) => point.x),
    [margin, width - margin],
  );
  const y = axis(
    points.map((point) => point.y),
    [height - margin, margin],
  );
  const radius = points.length > 300 ? 4 : 6;
  const circles = points.map(
    (point) =>
      html`<circle class="c${point.colour}" cx="${x(point.x)}" cy="${y(point.y)}" r="${radius}"><title>${point.title}</title></circle>`,
  );
  return html`<svg class="map" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${circles}</svg>
`;
}
