import { AuditSampler } from "@ragline/evaluation";
import { expect, test } from "vitest";
import { shortChunks } from "./short-chunks.js";

test("makes the same chunks from the same seed, and others from another", () => {
  const chunks = [...shortChunks(50, 1)];
  expect([...shortChunks(50, 1)]).toEqual(chunks);
  expect([...shortChunks(50, 2)]).not.toEqual(chunks);
  expect(new Set(chunks.map(({ text }) => text)).size).toBe(50);
});

test("makes chunks that the self-audit can ask for", () => {
  const audit = new AuditSampler({ limit: 64 });
  let row = 0;
  const stratum = () => ({ document: "bench.md", contentType: "unknown" });
  for (const { text, metadata } of shortChunks(200, 3))
    audit.add({ row: row++, text, sections: [[String(metadata.heading_text)]], stratum });
  const kinds = audit.queries().map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "heading")).toHaveLength(32);
  expect(kinds.filter((kind) => kind === "sentence")).toHaveLength(32);
});
