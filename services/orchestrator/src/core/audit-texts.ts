import { type AuditQuery, comparedWords, NearDuplicates, SectionChunks, textKey } from "@ragline/evaluation";
import { originOf } from "./chunk-origin.js";
import type { ChunkSpool } from "./chunk-spool.js";
import type { RunQuery } from "./run-queries.js";

/** What the self-audit needs to know of the chunks' texts. */
export interface AuditTexts {
  /** `textKey` of each row's text. */
  readonly keys: Float64Array;
  /** Rows that are right where a query's own is: those that say the same, and with a heading those of its section. */
  readonly answersTo: (query: AuditQuery) => Answers;
}

/** The rows that answer a query, the one that it was made from among them. */
export interface Answers {
  readonly answers: ReadonlySet<number>;
  /** Those that say the same as the query's own chunk. */
  readonly duplicates: ReadonlySet<number>;
}

/** Answers that are read at once. */
const answersPerRead = 64;

/**
 * Reads all chunks once more: which of them answer the audit's queries, and which have the same text. The chunks must be
 * complete. Memory: 8 bytes for each chunk, beside the answers.
 * @throws the signal's reason when aborted.
 */
export async function auditTexts(
  chunks: ChunkSpool,
  queries: readonly RunQuery[],
  signal: AbortSignal,
): Promise<AuditTexts> {
  const duplicates = new NearDuplicates();
  const sections = new SectionChunks();
  for (const { origin } of queries) if (origin?.kind === "heading") sections.ask(origin);
  const answers = [...new Set(queries.flatMap(({ origin }) => origin?.row ?? []))];
  for (let at = 0; at < answers.length; at += answersPerRead) {
    const rows = answers.slice(at, at + answersPerRead);
    const texts = await chunks.rows(rows);
    for (const [i, row] of rows.entries()) duplicates.addAnswer(row, comparedWords(texts[i]?.text ?? ""));
  }
  const keys = new Float64Array(chunks.count);
  for await (const { firstRow, chunks: batch } of chunks.batches()) {
    signal.throwIfAborted();
    for (const [i, { text, metadataJson }] of batch.entries()) {
      if (sections.isAsked) {
        const origin = originOf(JSON.parse(metadataJson) as Record<string, unknown>);
        sections.add(firstRow + i, origin.document, origin.sections);
      }
      const compared = comparedWords(text);
      keys[firstRow + i] = textKey(compared);
      duplicates.compare(firstRow + i, compared);
    }
  }
  const answersTo = (query: AuditQuery): Answers => {
    const same = duplicates.rowsOf(query.row);
    const inSection = query.kind === "heading" ? sections.rowsOf(query) : [];
    return { answers: new Set([...same, ...inSection]), duplicates: same };
  };
  return { keys, answersTo };
}
