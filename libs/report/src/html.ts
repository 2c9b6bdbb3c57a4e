/** Markup that is safe to put into the page as it is. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

type Part = Html | string | number | readonly Html[] | undefined;

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

// Beside what HTML gives a meaning: control characters, which it forbids, and those that turn the direction of text.
const forbidden = /[\p{Cc}\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Cs}/gu;

/** A text for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[\t\n\r]/g, " ")
    .replace(forbidden, "\ufffd")
    .replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

function markupOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.markup;
  if (typeof part === "object") return part.map(({ markup }) => markup).join("");
  return escapeHtml(String(part));
}

/** Markup from a template; whatever is put into it is escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((markup, string, i) => markup + markupOf(parts[i - 1]) + string));
}
