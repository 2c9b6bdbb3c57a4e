const dash = "–";

/** A number with at most `digits` decimals; a dash for one that is not known. */
export function number(value: number | null | undefined, digits = 0): string {
  if (value === undefined || value === null || !Number.isFinite(value)) return dash;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** A duration. */
export function seconds(value: number | null | undefined): string {
  if (value === undefined || value === null) return dash;
  return `${number(value, value < 1 ? 3 : value < 100 ? 2 : 0)} s`;
}

/** Bytes in decimal units. */
export function bytes(value: number | null | undefined): string {
  if (value === undefined || value === null) return dash;
  if (value < 1000) return `${number(value)} B`;
  const power = value < 1e6 ? 1 : value < 1e9 ? 2 : 3;
  return `${number(value / 1000 ** power, 1)} ${["", "kB", "MB", "GB"][power]}`;
}

/** A share of 1 as a percentage. */
export function percent(share: number | null | undefined): string {
  return share === undefined || share === null || !Number.isFinite(share) ? dash : `${number(share * 100, 1)} %`;
}

/** The beginning of a text, in code points. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const start = Array.from(text.slice(0, most * 2))
    .slice(0, most - 1)
    .join("");
  return `${start}…`;
}

/** A text without its middle, in code points: of paths the end says more than what stands before it. */
export function shortenMiddle(text: string, most: number): string {
  const characters = Array.from(text.slice(0, 4096));
  if (characters.length <= most) return text;
  const end = Math.ceil((most - 1) / 2);
  return `${characters.slice(0, most - 1 - end).join("")}…${characters.slice(-end).join("")}`;
}

/** A count and its noun. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}
