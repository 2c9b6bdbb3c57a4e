/** Cached values of a chart by their position. */
export type Points = Map<number, string>;

/** A series of a chart's values. */
export interface ChartSeries {
  /** From 1; programs name series by it that have no name. */
  readonly number: number;
  readonly name: readonly string[];
  /** Names of its categories, those of the innermost level first; the same array where two series share them. */
  readonly levels: readonly Points[];
  readonly values: Points;
  /** Of bubbles. */
  readonly sizes: Points;
}

/** Tables made of series. */
export interface ChartTables {
  readonly tables: readonly (readonly (readonly string[])[])[];
  /** Letters that there was no room for. */
  readonly skippedCharacters: number;
}

/**
 * The values of a chart as tables: one for each group of series that share their categories, with the names of the series
 * above and a row for each category. Series with neither names nor values make none.
 * @param room Cells that all tables may have together; rows beyond are left out and counted.
 */
export function chartTables(series: readonly ChartSeries[], categoryTitle: string, room: number): ChartTables {
  const groups = new Map<readonly Points[] | undefined, ChartSeries[]>();
  for (const one of series) {
    // Series without categories share that they have none.
    const key = one.levels.length > 0 ? one.levels : undefined;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  const tables: string[][][] = [];
  let [left, skippedCharacters] = [room, 0];
  for (const group of groups.values()) {
    const categories = categoryNames(group[0]?.levels ?? []);
    const columns = group.flatMap(toColumns);
    const places = sortedPlaces([categories, ...columns.map(({ points }) => points)]);
    const count = Math.max(0, Math.floor(left / (columns.length + 1)) - 1);
    const firstLeftOut = places[count] ?? Infinity;
    for (const points of [categories, ...columns.map((column) => column.points)]) {
      for (const [place, text] of points) if (place >= firstLeftOut) skippedCharacters += text.length;
    }
    const rows = places
      .slice(0, count)
      .map((place) => [
        categories.size > 0 ? (categories.get(place) ?? "") : String(place + 1),
        ...columns.map(({ points }) => points.get(place) ?? ""),
      ]);
    if (rows.length === 0 && group.every(({ name }) => joined(name, "") === "")) continue;
    tables.push([[categoryTitle, ...columns.map(({ title }) => title)], ...rows]);
    left -= (rows.length + 1) * (columns.length + 1);
  }
  return { tables, skippedCharacters };
}

/** Words without the white space around them, and without those that are nothing else. */
export function joined(words: readonly string[], separator: string): string {
  return words
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .join(separator);
}

function toColumns({ number, name, values, sizes }: ChartSeries): { title: string; points: Points }[] {
  const title = joined(name, " ") || `Series ${number}`;
  const column = { title, points: values };
  return sizes.size === 0 ? [column] : [column, { title: `${title} (size)`, points: sizes }];
}

/** Names of categories; where there are several levels, an outer name stands once for all that it spans. */
function categoryNames(levels: readonly Points[]): Points {
  const [inner, ...outer] = levels;
  if (inner === undefined || outer.length === 0) return inner ?? new Map();
  const current = outer.map(() => "");
  const names: Points = new Map();
  for (const place of sortedPlaces(levels)) {
    for (const [i, level] of outer.entries()) current[i] = level.get(place) ?? current[i] ?? "";
    names.set(place, joined([...current.toReversed(), inner.get(place) ?? ""], " "));
  }
  return names;
}

function sortedPlaces(all: readonly Points[]): number[] {
  const places = new Set<number>();
  for (const points of all) for (const place of points.keys()) places.add(place);
  return [...places].sort((a, b) => a - b);
}
