import { comparedWords, NearDuplicates, textKey } from "@ragline/evaluation";
import type { ChunkSpool } from "./chunk-spool.js";
import type { RunQuery } from "./run-queries.js";

/** What the self-audit needs to know of the chunks' texts. */
export interface AuditTexts {
  /** `textKey` of each row's text. */
  readonly keys: Float64Array;
  /** Rows that are right where a row is. */
  readonly duplicates: Pick<NearDuplicates, "rowsOf">;
}

/** Answers that are read at once. */
const answersPerRead = 64;

/**
 * Reads all chunks once more: which of them say the same as the answers of the audit's queries, and which have the same
 * text. The chunks must be complete. Memory: 8 bytes for each chunk, beside the answers.
 * @throws the signal's reason when aborted.
 */
export async function auditTexts(
  chunks: ChunkSpool,
  queries: readonly RunQuery[],
  signal: AbortSignal,
): Promise<AuditTexts> {
  const duplicates = new NearDuplicates();
  const answers = [...new Set(queries.flatMap(({ origin }) => origin?.row ?? []))];
  for (let at = 0; at < answers.length; at += answersPerRead) {
    const rows = answers.slice(at, at + answersPerRead);
    const texts = await chunks.rows(rows);
    for (const [i, row] of rows.entries()) duplicates.addAnswer(row, comparedWords(texts[i]?.text ?? ""));
  }
  const keys = new Float64Array(chunks.count);
  for await (const { firstRow, chunks: batch } of chunks.batches()) {
    signal.throwIfAborted();
    for (const [i, { text }] of batch.entries()) {
      const compared = comparedWords(text);
      keys[firstRow + i] = textKey(compared);
      duplicates.compare(firstRow + i, compared);
    }
  }
  return { keys, duplicates };
}
