import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDocument, type SourceDocument, SourceLocator } from "./index.js";

function read(name: string, source: string): Promise<SourceDocument> {
  return parseDocument(name, Buffer.from(source));
}

function expectTiles({ sourceSpans, text }: SourceDocument, source: string): void {
  const bytes = Buffer.from(source);
  let at = 0;
  for (const span of sourceSpans) {
    expect(span.start).toBe(at);
    expect(span.end).toBeGreaterThan(at);
    expect(span.line).toBe(
      bytes
        .subarray(0, at)
        .toString()
        .split(/\r\n|\r|\n/).length,
    );
    at = span.end;
    if (span.kind === "text" && span.verbatim) {
      expect(bytes.subarray(span.start, span.end).toString()).toBe(text.slice(span.textStart, span.textEnd));
    }
  }
  expect(at).toBe(bytes.length);
}

test("a text is its file's bytes, behind the byte order mark", async () => {
  const source = "\ufeff# Grüße\r\n\r\nzwei € 😀\n";
  const document = await read("a.md", source);
  expectTiles(document, source);
  expect(document.sourceSpans.map(({ kind }) => kind)).toEqual(["markup", "text"]);
  const locator = new SourceLocator(document);
  const start = document.text.indexOf("zwei");
  expect(locator.locate(start, start + 6)).toEqual({ startByte: 16, endByte: 24, firstLine: 3, lastLine: 3 });
  expect(locator.locate(0, 7)).toEqual({ startByte: 3, endByte: 12, firstLine: 1, lastLine: 1 });
  expect(locator.locate(0, document.text.length)).toMatchObject({ endByte: 30, lastLine: 3 });
});

test("each byte of a page is text, blank, markup or skipped", async () => {
  const source =
    "<title>T &amp; U</title>\n<script>x()</script><p>one  two &lt; three</p>\n<!-- c --><pre>\na\n b</pre>four";
  const document = await read("a.html", source);
  expectTiles(document, source);
  const parts = document.sourceSpans.map((span) => [
    span.kind,
    source.slice(span.start, span.end),
    span.kind === "text" ? document.text.slice(span.textStart, span.textEnd) : "",
  ]);
  expect(parts).toEqual([
    ["skipped", "<title>", ""],
    ["text", "T", "T"],
    ["blank", " ", ""],
    ["text", "&amp;", "&"],
    ["blank", " ", ""],
    ["text", "U", "U"],
    ["skipped", "</title>", ""],
    ["blank", "\n", ""],
    ["skipped", "<script>x()</script>", ""],
    ["markup", "<p>", ""],
    ["text", "one", "one"],
    ["blank", "  ", ""],
    ["text", "two", "two"],
    ["blank", " ", ""],
    ["text", "&lt;", "<"],
    ["blank", " ", ""],
    ["text", "three", "three"],
    ["markup", "</p>\n", ""],
    ["skipped", "<!-- c -->", ""],
    ["markup", "<pre>\n", ""],
    ["text", "a\n b", "a\n b"],
    ["markup", "</pre>", ""],
    ["text", "four", "four"],
  ]);
  const at = document.text.indexOf("two <");
  expect(new SourceLocator(document).locate(at, at + 5)).toEqual({
    startByte: source.indexOf("two"),
    endByte: source.indexOf(" three"),
    firstLine: 2,
    lastLine: 2,
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    "<p>",
    "</p>",
    "<table>",
    "<tr>",
    "<td>",
    "</table>",
    "<ul><li>",
    "</ul>",
    "<pre>",
    "</pre>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "&amp;",
    "&#32;",
    "&nbsp",
    "<template>",
    "<b>",
    "</i>",
    "<head>",
    "<title>",
    "</title>",
    "<img alt='a &lt; b' src=x>",
    '<IMG ALT="two  words">',
    "<img alt=one>",
    "<figure>",
    "<figcaption>",
    "</figure>",
    "<math>",
    "<math display=block><mfrac>",
    "<mi>x</mi>",
    "</math>",
    "\r\n",
    "\n",
    "\t ",
  ),
  fc.string({ maxLength: 6 }),
  fc.constantFrom("é", "日本", "😀"),
);

test("the spans of any page tile it, and every word of the text comes from a span", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const source = `x${pieces.join("")}`;
      expectTiles(await read("a.html", source), source);
    }),
    { numRuns: 300 },
  );
});

test("bytes found in any order are those found from the start", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("a", "é", "€", "😀", "\n", "\r\n", " "), { minLength: 1, maxLength: 60 }),
      fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { maxLength: 10 }),
      async (letters, spans) => {
        const source = `x${letters.join("")}`;
        const locator = new SourceLocator(await read("a.txt", source));
        const offsets = ["x", ...letters].reduce<number[]>(
          (at, letter) => [...at, (at.at(-1) ?? 0) + letter.length],
          [0],
        );
        for (const [a, b] of spans) {
          const [start = 0, end = 0] = [a % offsets.length, b % offsets.length]
            .sort((p, q) => p - q)
            .map((i) => offsets[i]);
          if (start === end) continue;
          expect(locator.locate(start, end)).toMatchObject({
            startByte: Buffer.byteLength(source.slice(0, start)),
            endByte: Buffer.byteLength(source.slice(0, end)),
            firstLine: source.slice(0, start).split(/\r\n|\r|\n/).length,
          });
        }
      },
    ),
  );
});
