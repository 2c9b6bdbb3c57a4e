/** Signs that stand for all of something, by their commands. */
export const operators: Readonly<Record<string, string>> = {
  "∑": "\\sum",
  "∏": "\\prod",
  "∐": "\\coprod",
  "∫": "\\int",
  "∬": "\\iint",
  "∭": "\\iiint",
  "∮": "\\oint",
  "⋃": "\\bigcup",
  "⋂": "\\bigcap",
};

/** Text of a formula, whose special signs are escaped. */
export function escapedLatex(text: string): string {
  return text.replace(/\\/g, "\\backslash ").replace(/[{}%#&_$]/g, "\\$&");
}

/** What a script belongs to, in braces where it is more than one sign or command. */
export function grouped(latex: string): string {
  // Looked at no further than a command is long: formulas are nested deeper than the stack by those who mean harm.
  return latex.length <= maxCommandLength && /^(?:\\[A-Za-z]+|.)?$/u.test(latex) ? latex : `{${latex}}`;
}

/** Indices behind what they belong to; an empty one is left out. */
export function scripts(below: string, above: string): string {
  return (below === "" ? "" : `_{${below}}`) + (above === "" ? "" : `^{${above}}`);
}

/** A fraction: on one line, without a bar, or as most are. */
export function fraction(above: string, below: string, form: "linear" | "noBar" | "bar"): string {
  if (form === "linear") return `${grouped(above)}/${grouped(below)}`;
  return `${form === "noBar" ? "\\binom" : "\\frac"}{${above}}{${below}}`;
}

/** A root; a square root where it has no degree. */
export function root(radicand: string, degree: string): string {
  return `\\sqrt${degree === "" ? "" : `[${degree}]`}{${radicand}}`;
}

/** A matrix of rows, each of cells. */
export function matrix(rows: readonly string[]): string {
  return `\\begin{matrix}${rows.join(" \\\\ ")}\\end{matrix}`;
}

/** A row of a matrix. */
export function matrixRow(cells: readonly string[]): string {
  return cells.join(" & ");
}

const maxCommandLength = 32;
