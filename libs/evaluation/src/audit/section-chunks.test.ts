import { expect, test } from "vitest";
import { SectionChunks, type SectionPlace } from "../index.js";

const place = (document: string, ...section: string[]): SectionPlace => ({ document, section });

const corpus: [document: string, sections: string[][]][] = [
  ["a.md", []],
  ["a.md", [["Guide"]]],
  ["a.md", [["Guide", "Install"]]],
  ["a.md", [["Guide", "Install", "On Linux"]]],
  ["a.md", [["Guide"], ["Guide", "Install"], ["Guide", "Use"]]],
  ["a.md", [["Guide", "Use"]]],
  ["b.md", [["Guide", "Install"]]],
  ["a.md", [["Guide Install"]]],
];

test.each<[name: string, asked: SectionPlace, rows: number[]]>([
  ["a section with its subsections", place("a.md", "Guide", "Install"), [2, 3, 4]],
  ["the outermost one", place("a.md", "Guide"), [1, 2, 3, 4, 5]],
  ["the innermost one", place("a.md", "Guide", "Install", "On Linux"), [3]],
  ["the same titles in another document", place("b.md", "Guide", "Install"), [6]],
  ["the same title elsewhere", place("a.md", "Install"), []],
  ["no section at all", place("a.md"), []],
])("finds the chunks of %s", (_, asked, rows) => {
  const chunks = new SectionChunks();
  expect(chunks.isAsked).toBe(false);
  chunks.ask(asked);
  expect(chunks.isAsked).toBe(asked.section.length > 0);
  corpus.forEach(([document, sections], row) => {
    chunks.add(row, document, sections);
  });
  expect([...chunks.rowsOf(asked)]).toEqual(rows);
});
