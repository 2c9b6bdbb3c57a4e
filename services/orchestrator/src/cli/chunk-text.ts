import { type Ledger, type LedgerReason, sumLedgers } from "@ragline/chunking";
import type { ChunkDirectorySummary, WrittenDocument } from "../core/chunk-directory.js";
import { newTable } from "./new-table.js";

const maxShown = 100;
const maxSkippedShown = 20;
const reasons: readonly LedgerReason[] = [
  "core",
  "flagged",
  "blank",
  "markup",
  "frontmatter",
  "binary",
  "skipped",
  "oversized",
];

/** Where all bytes of the documents went. */
export function ledgerOf(documents: readonly WrittenDocument[]): Ledger {
  return sumLedgers(
    documents.map(({ bytes, bytes_by_reason: byteCounts, characters, characters_by_reason: characterCounts }) => ({
      bytes,
      byteCounts,
      characters,
      characterCounts,
    })),
  );
}

/** What a person reads of a directory of chunks: the ledger for each document and in all, and what changed. */
export function chunkText(summary: ChunkDirectorySummary, seconds: number): string {
  const { documents, directory, removed, skipped } = summary;
  const total = ledgerOf(documents);
  const shown = reasons.filter((reason) => reason === "core" || total.byteCounts[reason] !== undefined);
  const table = newTable(
    ["document", "chunks", "bytes", ...shown, "is"],
    ["left", ...Array.from({ length: shown.length + 2 }, () => "right" as const), "left"],
  );
  for (const { path, chunks, bytes, bytes_by_reason: counts, change, kept, gone } of documents.slice(0, maxShown)) {
    const detail = kept === undefined ? "" : ` (${chunks - kept} chunks new, ${kept} kept, ${gone} gone)`;
    table.push([path, chunks, bytes, ...shown.map((reason) => counts[reason] ?? 0), change + detail]);
  }
  if (documents.length > maxShown)
    table.push([`and ${documents.length - maxShown} more`, ...Array.from({ length: shown.length + 3 }, () => "")]);
  const chunks = documents.reduce((sum, document) => sum + document.chunks, 0);
  table.push(["all", chunks, total.bytes, ...shown.map((reason) => total.byteCounts[reason] ?? 0), ""]);
  const parts = [`Bytes of each document by what became of them\n${table.toString()}`];
  const leftOut = total.characterCounts.skipped ?? 0;
  if (leftOut > 0)
    parts.push(`${leftOut} characters of text were left out by rule: scripts, page headers, comments and the like`);
  if (skipped.length > 0) {
    const lines = skipped.slice(0, maxSkippedShown).map(({ message }) => `  ${message}`);
    if (skipped.length > maxSkippedShown) lines.push(`  and ${skipped.length - maxSkippedShown} more, see --json`);
    parts.push(`Skipped inputs:\n${lines.join("\n")}`);
  }
  if (removed.length > 0)
    parts.push(`Removed, since their documents are gone:\n${removed.map((path) => `  ${path}`).join("\n")}`);
  const countOf = (change: string): number => documents.filter((document) => document.change === change).length;
  const changes = `${countOf("added")} added, ${countOf("changed")} changed, ${countOf("unchanged")} unchanged, ${removed.length} removed`;
  const accounted = Object.values(total.byteCounts).reduce((sum, count) => sum + count, 0);
  const percent = total.bytes === 0 ? 100 : (accounted / total.bytes) * 100;
  parts.push(
    `${chunks} chunks of ${documents.length} documents (${changes}) in ${seconds.toFixed(1)} s; ${percent.toFixed(0)} % of ${total.bytes} bytes accounted for\nChunk files in ${directory}`,
  );
  return parts.join("\n\n");
}
