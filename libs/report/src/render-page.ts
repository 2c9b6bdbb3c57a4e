import type { Section } from "./elements.js";
import { Html, html } from "./html.js";
import { style } from "./style.js";

// No script, no request: also whatever a document's text might smuggle in is refused by the browser itself.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** What a page is made of. */
export interface PageContent {
  /** Of the window. */
  readonly title: string;
  readonly heading: string;
  /** Version of Ragline that drew it. */
  readonly version: string;
  /** A line for the page's head that says what it is of. @default none */
  readonly mark?: string;
  /** What stands below the heading. */
  readonly intro: Html;
  readonly sections: readonly Section[];
  readonly footer: string;
}

function sectionHtml({ id, title, content }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${content}</section>
`;
}

/** A whole page, one file that refers to nothing outside it. The same content gives the same bytes. */
export function renderPage({ title, heading, version, mark, intro, sections, footer }: PageContent): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="ragline ${version}">
${mark === undefined ? undefined : new Html(mark)}
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${heading}</h1>
${intro}<nav aria-label="Sections"><ul>${sections.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(sectionHtml)}</main>
<footer><p class="note">${footer}</p></footer>
</body>
</html>
`.markup;
}
