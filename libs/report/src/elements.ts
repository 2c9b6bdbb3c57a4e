import { number, shorten } from "./format.js";
import { type Html, html } from "./html.js";

/** Longest text in one cell of a table. */
const maxCellCharacters = 400;

/** A cell: a number is set to the right. */
export type Cell = string | number | Html | null | undefined;

/** How a table is drawn. */
export interface TableOptions {
  /** What the table shows; read out, and seen above it. */
  readonly caption: string;
  readonly head: readonly string[];
  /** First columns that are texts; the others are set to the right. @default 1 */
  readonly textColumns?: number;
  /** Rows that are shown at most; a line says how many there are beyond. @default 200 */
  readonly maxRows?: number;
}

function cellText(cell: Cell): Html | string {
  if (cell === null || cell === undefined) return "–";
  if (typeof cell === "object") return cell;
  return typeof cell === "number" ? number(cell, 3) : shorten(cell, maxCellCharacters);
}

/** A table that scrolls within itself on narrow screens. */
export function table(rows: readonly (readonly Cell[])[], options: TableOptions): Html {
  const { caption, head, textColumns = 1, maxRows = 200 } = options;
  const shown = rows.slice(0, maxRows).map((row) => {
    const cells = row.map((cell, i) =>
      i < textColumns ? html`<td>${cellText(cell)}</td>` : html`<td class="n">${cellText(cell)}</td>`,
    );
    return html`<tr>${cells}</tr>`;
  });
  const headings = head.map((text, i) =>
    i < textColumns ? html`<th scope="col">${text}</th>` : html`<th scope="col" class="n">${text}</th>`,
  );
  const rest = rows.length - shown.length;
  return html`<div class="scroll" role="region" aria-label="${caption}, table" tabindex="0"><table><caption>${caption}</caption><thead><tr>${headings}</tr></thead><tbody>${shown}</tbody></table></div>${
    rest > 0 ? html`<p class="note">and ${number(rest)} more, see the manifest</p>` : undefined
  }
`;
}

/** What stands behind a plot, closed at first. */
export function details(summary: string, content: Html): Html {
  return html`<details><summary>${summary}</summary>${content}</details>
`;
}

/** A part of the page with a heading. */
export interface Section {
  /** Anchor. */
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

/** Figures with their names, as a list. */
export function figures(entries: readonly (readonly [name: string, value: string])[]): Html {
  return html`<dl class="figures">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
`;
}
