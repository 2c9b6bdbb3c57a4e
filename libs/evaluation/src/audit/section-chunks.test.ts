import { expect, test } from "vitest";
import { SectionChunks, type SectionPlace } from "../index.js";

const place = (document: string, ...section: string[]): SectionPlace => ({ document, section });

const corpus = [
  place("a.md"),
  place("a.md", "Guide"),
  place("a.md", "Guide", "Install"),
  place("a.md", "Guide", "Install", "On Linux"),
  place("a.md", "Guide", "Install"),
  place("a.md", "Guide", "Use"),
  place("b.md", "Guide", "Install"),
  place("a.md", "Guide Install"),
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
  corpus.forEach((at, row) => {
    chunks.add(row, at);
  });
  expect([...chunks.rowsOf(asked)]).toEqual(rows);
});
