import fc from "fast-check";
import MarkdownIt from "markdown-it";
import { expect, test } from "vitest";
import { parseMarkdown } from "./markdown-blocks.js";

function outline(text: string): string[] {
  return parseMarkdown(text).blocks.map(
    ({ kind, depth, start, end }) => `${kind}${depth ?? ""}: ${text.slice(start, end)}`,
  );
}

test.each([
  ["# A *b* `c`\n\ntext\nmore\n\n- x\n- y\n", ["heading1: # A *b* `c`", "paragraph: text\nmore", "list: - x\n- y"]],
  ["Title\n===\r\nx\r\n", ["heading1: Title\n===", "paragraph: x"]],
  ["```js\n# no heading\n```\n", ["code: ```js\n# no heading\n```"]],
  ["    indented\n", ["code:     indented"]],
  ["| a | b |\n|---|---|\n| 1 | 2 |\n", ["table: | a | b |\n|---|---|\n| 1 | 2 |"]],
  ["---\ntitle: x\n---\n# A\n", ["frontmatter: ---\ntitle: x\n---", "heading1: # A"]],
  ["---\n\na: b\n\n---\n", ["thematic: ---", "paragraph: a: b", "thematic: ---"]],
  ["<div>\nx\n</div>\n\n> quote\n", ["html: <div>\nx\n</div>", "paragraph: > quote"]],
  ["[link]: http://x\n\nfoo", ["paragraph: [link]: http://x", "paragraph: foo"]],
  [" \n\n", []],
  ["", []],
])("the blocks of %j", (text, expected) => {
  expect(outline(text)).toEqual(expected);
});

test("titles have no markup", () => {
  const titles = parseMarkdown("# A *b* `c` [d](e) &amp; ![f](g)\n## \n").blocks.map(({ title }) => title);
  expect(titles).toEqual(["A b c d & f", ""]);
});

test("a title is what the inline rules make of it, whatever signs are in it", () => {
  const whole = new MarkdownIt({ html: true });
  const signs = fc.oneof(
    fc.constantFrom(
      ..."a b  |é|漢|\u00a0|\t|&amp;|<b>|http://x.y|*b*| _a_ |~~c~~|`d`|\\e|[|](c)|!|\\|<|>|&".split("|"),
    ),
    fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }),
  );
  fc.assert(
    fc.property(fc.array(signs, { maxLength: 12 }), (parts) => {
      const text = `# x${parts.join("")}y\n`;
      const words = whole.parse(text, {})[1]?.children ?? [];
      const shown = words.map(({ type, content }) => (type === "html_inline" ? "" : content)).join("");
      expect(parseMarkdown(text).blocks[0]?.title).toBe(shown.replace(/\s+/g, " ").trim());
    }),
    { numRuns: 1000, seed: 8 },
  );
});

test("items and table headers are marked", () => {
  const text = "1. a\n   - in\n2. b\n\n|k|\n|-|\n|v|\n";
  const { blocks } = parseMarkdown(text);
  expect(blocks[0]?.breaks?.map(({ at }) => text.slice(at, at + 4))).toEqual(["2. b"]);
  expect(text.slice(blocks[1]?.start, blocks[1]?.headerEnd)).toBe("|k|\n|-|\n");
});

const line = fc.oneof(
  fc.constantFrom(
    "# h",
    "## h",
    "- item",
    "  - inner",
    "1. one",
    "```",
    "~~~",
    "|a|b|",
    "|-|-|",
    "> q",
    "---",
    "",
    "    x",
    "<div>",
    "\t",
    "===",
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
);

test("blocks are in order, disjoint, and cover all but white space", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), fc.constantFrom("\n", "\r\n", "\r"), (lines, lineBreak) => {
      const text = lines.join(lineBreak);
      let at = 0;
      for (const { start, end } of parseMarkdown(text).blocks) {
        expect(text.slice(at, start).trim()).toBe("");
        expect(end).toBeGreaterThan(start);
        at = end;
      }
      expect(text.slice(at).trim()).toBe("");
    }),
  );
});

test("a long document has the same blocks as its parts", () => {
  const part = "# head\n\ntext of a paragraph\n\n```\n# code\n\n\n```\n\n- a\n\n  b\n- c\n\n";
  const once = parseMarkdown(part).blocks;
  const copies = 15_000;
  const { blocks } = parseMarkdown(part.repeat(copies));
  expect(blocks).toHaveLength(once.length * copies);
  expect(
    new Set(blocks.map(({ kind, start, end }, i) => `${i % once.length} ${kind} ${start % part.length} ${end - start}`))
      .size,
  ).toBe(once.length);
});

test.each([
  ["quotes in quotes", "> ".repeat(100_000)],
  ["lists in lists", "1. ".repeat(100_000)],
  ["brackets", "[".repeat(300_000)],
  ["stars", "# " + "**a ".repeat(100_000)],
  ["one line", "x".repeat(1_000_000)],
  ["colons after a rule", `---\n${":".repeat(300_000)}`],
  ["one table", `|a|\n|-|\n${"|b|\n".repeat(100_000)}`],
])("%s without end are parsed in time", (_, text) => {
  // What takes more than linear time does not end before the test is given up.
  expect(parseMarkdown(text).blocks.length).toBeGreaterThan(0);
});
