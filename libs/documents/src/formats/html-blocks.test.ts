import { expect, test } from "vitest";
import { parseHtml } from "./html-blocks.js";

function outline(source: string): string[] {
  const { text, blocks } = parseHtml(source);
  return blocks.map(({ kind, depth, start, end }) => `${kind}${depth ?? ""}: ${text.slice(start, end)}`);
}

test.each([
  [
    "<h1>Guide</h1><p>One <b>bold</b>\n word.</p>Tail",
    ["heading1: Guide", "paragraph: One bold word.", "paragraph: Tail"],
  ],
  ["<title>T &amp; U</title><h2>a</h2>", ["heading1: T & U", "heading2: a"]],
  ["<title>T</title><h1>a</h1>", ["heading1: a"]],
  ["<div>a<div>b</div>c</div>", ["paragraph: a", "paragraph: b", "paragraph: c"]],
  ["a<br>b", ["paragraph: a\nb"]],
  ["<pre>\n  if x:\n\n    y\n</pre>", ["code:   if x:\n\n    y\n"]],
  ["<ul><li>a<li><p>b</p><ul><li>c</ul><li></ul>", ["list: - a\n- b\n  - c"]],
  ["<ol><li>a<li>b</ol>", ["list: 1. a\n2. b"]],
  ["<ul><li>a<pre>x = 1</pre>b<li>c</ul>", ["list: - a", "code: x = 1", "list: b\n- c"]],
  ["<table><tr><th>k<th>v<tr><td>a<td>1<tr><td><p>b</p><td>2</table>", ["table: k | v\na | 1\nb | 2"]],
  ["<table><tr><td><td>x<tr><td>y<td><td>z</table>", ["table: | x\ny | | z"]],
  ["<table><tr><td><h2>in</h2>out</table>", ["heading2: in", "table: out"]],
  ["<script>var x</script><style>p{}</style><template>t</template><p hidden>h</p>seen<!--c-->", ["paragraph: seen"]],
  ["a<img alt='a lamp'>b", ["paragraph: a a lamp b"]],
  ["<p><img alt='a lamp &amp; its &#34;wick&#34;'></p>b", ['caption: a lamp & its "wick"', "paragraph: b"]],
  ["<ul><li><img alt='a lamp'><li>b</ul>", ["list: - a lamp\n- b"]],
  ["<table><tr><td><img alt='a lamp'><td>b</table>", ["table: a lamp | b"]],
  ["<img alt='lamp.png'><img alt='Picture 3'><img alt><img>a", ["paragraph: a"]],
  [
    "<figure><img alt='A lamp'><figcaption>A <i>lamp</i></figcaption></figure><figure><img alt='A lamp'></figure>",
    ["caption: A lamp", "caption: A lamp"],
  ],
  ["<pre> </pre><p>\u00a0</p>", []],
  ["", []],
])("the visible text of %j", (source, expected) => {
  expect(outline(source)).toEqual(expected);
});

test("blocks cover the text but for the white space between them", () => {
  const { text, blocks } = parseHtml("<h1>a</h1><ul><li>b<li>c</ul><table><tr><td>d</table><pre>e</pre>f");
  expect(text).toBe("a\n\n- b\n- c\n\nd\n\ne\n\nf");
  expect(blocks.map(({ start, end }) => text.slice(start, end)).join("\n\n")).toBe(text);
});

test("what is hidden is counted", () => {
  expect(parseHtml("<script>12345</script><p>x<!--678--></p><template><b>9</b></template>").skippedCharacters).toBe(9);
  expect(parseHtml("<title>abc</title>x").skippedCharacters).toBe(0);
  expect(
    parseHtml("<img alt='a lamp'><img alt='b.png'><figure><img alt='a b'><figcaption>a  B").skippedCharacters,
  ).toBe(8);
  expect(parseHtml("<title>abc</title><h1>x</h1>").skippedCharacters).toBe(3);
});

test.each(['alt="a &amp;  lamp"', "ALT = 'a &amp;  lamp'", "alt=a&amp;lamp", "src=x alt='a &amp;\n lamp'"])(
  "the place of %s is told",
  (attribute) => {
    const source = `<p>x <img ${attribute}> y`;
    const { text, sourceSpans = [] } = parseHtml(source);
    const words = sourceSpans.flatMap((span) => (span.kind === "text" ? [source.slice(span.start, span.end)] : []));
    expect(words.join(" ").replaceAll("&amp;", "&").replace(/\s+/g, " ")).toBe(text);
  },
);

test("items and table headers are marked", () => {
  const { text, blocks } = parseHtml("x<ul><li>a<ul><li>b</ul><li>c</ul><table><tr><th>k<tr><td>v</table>");
  expect(blocks[1]?.breaks?.map(({ at, level }) => `${level} ${text.slice(at, at + 5).trim()}`)).toEqual([
    "1 - b",
    "0 - c",
  ]);
  expect(text.slice(blocks[2]?.start, blocks[2]?.headerEnd)).toBe("k");
});

test.each([
  ["divisions 100,000 deep", `${"<div>".repeat(100_000)}x`],
  ["a row of 50,000 cells", `<table><tr>${"<td>x".repeat(50_000)}</table>`],
  ["lists 500 deep", `${"<ul><li>".repeat(500)}x`],
])("%s", (_, source) => {
  expect(parseHtml(source).text).toContain("x");
});
