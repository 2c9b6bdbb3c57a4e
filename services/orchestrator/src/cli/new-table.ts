import Table from "cli-table3";

// Columns parted by two spaces: borders would take the width that narrow terminals need.
const borderless = Object.fromEntries(
  ["top", "bottom", "left", "right", "mid"]
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .map((name) => [name, ""]),
);

/** A table without borders. */
export function newTable(head: readonly string[], columns: readonly ("left" | "right")[]): Table.Table {
  return new Table({
    head: [...head],
    colAligns: [...columns],
    chars: { ...borderless, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
}
