import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDocument, type SourceDocument } from "../index.js";

function read(name: string, source: string): Promise<SourceDocument> {
  return parseDocument(name, Buffer.from(source));
}

/** What stands behind each break, up to the next, with its level. */
async function pieces(name: string, source: string): Promise<string[]> {
  const { text, blocks } = await read(name, source);
  expect(text).toBe(source);
  const breaks = blocks[0]?.breaks ?? [];
  return breaks.map(({ at, level }, i) => `${level} ${text.slice(at, breaks[i + 1]?.at ?? blocks[0]?.end).trimEnd()}`);
}

const long = "x".repeat(64);

test.each([
  ["a.csv", 'a,b\n"x\ny",2\n3,4\n', ['0 "x\ny",2', "0 3,4"]],
  ["a.csv", "a;b\r\n1;2\r\n", ["0 1;2"]],
  ["a.tsv", "a\tb\r1\t2\r3\t4", ["0 1\t2", "0 3\t4"]],
  ["a.csv", "only", []],
  ["a.csv", 'a\n"never closed\nb', ['0 "never closed\nb']],
  ["a.json", `{"a": "${long}", "b": ["${long}", 1, 2], "c": 3}`, [`0 "b": ["${long}",`, "1 1, 2],", '0 "c": 3}']],
  ["a.json", `[{"a": "${long}"}, // why\n {"b": 1}]`, ['0 {"b": 1}]']],
  ["a.jsonl", `{"a": "${long}", "b": "${long}"}\n{"c": "${long}"}\n`, [`1 "b": "${long}"}`, `0 {"c": "${long}"}`]],
  ["a.yaml", "a: 1\n# on b\nb:\n  - x: 1\n    y: 2\n  - z\n", ["0 # on b\nb:", "1   - x: 1", "2     y: 2", "1   - z"]],
  ["a.yml", "---\na: &x 1\n---\nb: *x\n", ["0 ---\nb: *x"]],
  ["a.yaml", "{{ template }}: [\n", []],
])("the pieces of %s %j", async (name, source, expected) => {
  expect(await pieces(name, source)).toEqual(expected);
});

test.each([
  ["words", "a.json", "hello world", "no valid JSON at line 1"],
  ["a cut file", "a.json", '{\n "a": [1,\n', "no valid JSON at line 2"],
  ["a string without end", "a.jsonl", '{"a": 1}\n{"b', "no valid JSON at line 2"],
  ["brackets that do not match", "a.json", "[{]}", "no valid JSON at line 1"],
  ["an old notebook", "a.ipynb", '{"worksheets": []}', "no notebook of format 4"],
  ["a cut notebook", "a.ipynb", '{"cells": [', "no notebook of format 4"],
  ["no message", "a.eml", "hello\nworld", "no header fields"],
  ["a picture", "a.docx", "\u0089PNG", "no zip archive"],
  ["a text", "a.pdf", "hello", "no PDF"],
  ["an archive without its parts", "a.pptx", "PK\u0003\u0004", "could not be parsed as pptx"],
])("%s is refused", async (_, name, source, message) => {
  await expect(read(name, source)).rejects.toMatchObject({
    reason: "unparsable",
    message: expect.stringContaining(message),
  });
});

test.each([
  ["100,000 arrays", "a.json", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ["100,000 objects", "a.jsonl", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["100,000 sequences", "a.yaml", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ["a million numbers", "a.json", `[${"1,".repeat(1_000_000)}1]`],
])("%s are read", async (_, name, source) => {
  const { blocks } = await read(name, source);
  expect(blocks).toHaveLength(1);
  expect(blocks[0]?.breaks?.length ?? 0).toBeLessThanOrEqual(source.length / 60);
});

test("an alias is not expanded", async () => {
  const laughs = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}]`);
  const { text } = await read("a.yaml", `l0: &l0 lol\n${laughs.join("\n")}\n`);
  expect(text.length).toBeLessThan(2000);
});

test("a notebook's strings are accounted for to the byte", async () => {
  const strings = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom("# Title\n", "a\n", 'say "é"\n', "\ud800", "  \n"),
  );
  const cell = fc.record({
    cell_type: fc.constantFrom("markdown", "code", "raw"),
    source: fc.oneof(strings, fc.array(strings, { maxLength: 4 })),
    outputs: fc.array(fc.record({ output_type: fc.constant("stream"), text: fc.array(strings, { maxLength: 3 }) }), {
      maxLength: 2,
    }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(cell, { maxLength: 5 }), async (cells) => {
      const first = { cell_type: "markdown", source: "first" };
      const source = JSON.stringify({ cells: [first, ...cells] }, null, 1);
      const bytes = Buffer.from(source);
      const { text, sourceSpans } = await read("a.ipynb", source);
      let at = 0;
      let covered = 0;
      for (const span of sourceSpans) {
        expect(span.start).toBe(at);
        at = span.end;
        if (span.kind !== "text") continue;
        const words = text.slice(span.textStart, span.textEnd);
        covered += words.replace(/\s/g, "").length;
        const raw = bytes.subarray(span.start, span.end).toString();
        if (span.verbatim) expect(words).toBe(raw);
        else expect(JSON.parse(`"${raw}"`).includes(words.replaceAll("\ufffd", "").slice(0, 1))).toBe(true);
      }
      expect(at).toBe(bytes.length);
      expect(covered).toBe(text.replace(/\s/g, "").length);
    }),
    { numRuns: 40 },
  );
});

test("a message's parts come once, and what is attached is named", async () => {
  const lines = [
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>",
    "Subject: Lamp",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain; charset=iso-8859-1",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "Gr=FC=DFe",
    "--b",
    'Content-Type: application/pdf; name="plan.pdf"',
    "Content-Disposition: attachment",
    "",
    "%PDF-",
    "--b--",
  ];
  const { text } = await read("a.eml", lines.join("\r\n"));
  expect(text).toBe("Lamp\n\nFrom: Jürgen <j@example.org>\nAttachments: plan.pdf (application/pdf)\n\nGrüße");
});

test("reStructuredText has tables, literal blocks, directives and titles by the order of their lines", async () => {
  const source = `====
Over
====

Under
-----

Example::

   lit

   eral

+---+---+
| a | b |
+===+===+
| 1 | 2 |
+---+---+
| 3 | 4 |
+---+---+

=== ===
 a   b
=== ===
 1   2
 3   4
=== ===

.. math:: a+b

* x

  * y
* z

Under two
---------
`;
  const { text, blocks } = await read("a.rst", source);
  const outline = blocks.map(
    ({ kind, depth, start, end }) => `${kind}${depth ?? ""} ${text.slice(start, end).split("\n").length}`,
  );
  expect(outline).toEqual([
    "heading1 3",
    "heading2 2",
    "paragraph 1",
    "code 3",
    "table 7",
    "table 6",
    "formula 1",
    "list 4",
    "heading2 2",
  ]);
  expect(blocks.map(({ title }) => title).filter(Boolean)).toEqual(["Over", "Under", "Under two"]);
  expect(text.slice(blocks[4]?.start, blocks[4]?.headerEnd)).toBe("+---+---+\n| a | b |\n+===+===+\n");
  expect(blocks[7]?.breaks?.map(({ at, level }) => `${level} ${text[at + 2]}`)).toEqual(["1 y", "0 z"]);
});
