import type { SparseVectorsSchema } from "@ragline/contracts";
import { RowTally } from "@ragline/evaluation";
import { termId } from "@ragline/lexical";
import type { ChunkSpool } from "./chunk-spool.js";
import type { MessageSpool } from "./message-spool.js";
import type { SparseSpace } from "./sparse-stage.js";

/** Name of the space that holds vectors derived from metadata: never mixed with those of a model. */
export const metadataSpace = "metadata-terms";

interface TermWeight {
  readonly term: string;
  readonly weight: number;
}

function termWeights(metadataJson: string): TermWeight[] {
  const { sparse_features: features } = JSON.parse(metadataJson) as { sparse_features?: { term_weights?: unknown } };
  const listed = features?.term_weights;
  if (!Array.isArray(listed)) return [];
  return listed.filter(
    (item: Partial<TermWeight> | null): item is TermWeight =>
      typeof item?.term === "string" && Number.isFinite(item.weight),
  );
}

/** Term weights of a chunk as a vector: hashed terms, L2-normalised, colliding terms added up. */
function toRow(weights: readonly TermWeight[]): { index: number; value: number; term: string }[] {
  const byId = new Map<number, { index: number; value: number; term: string }>();
  for (const { term, weight } of weights) {
    const index = termId(term);
    const seen = byId.get(index);
    if (seen) seen.value += weight;
    else byId.set(index, { index, value: weight, term });
  }
  const rows = [...byId.values()].sort((a, b) => a.index - b.index);
  const length = Math.sqrt(rows.reduce((sum, { value }) => sum + value * value, 0)) || 1;
  return rows.map((row) => ({ ...row, value: row.value / length }));
}

/** Sparse vectors from the chunks' own term weights, for when inference has failed. */
export async function metadataVectors(
  chunks: ChunkSpool,
  queries: readonly string[],
  vectors: MessageSpool<typeof SparseVectorsSchema>,
): Promise<SparseSpace> {
  let available = 0;
  for await (const { firstRow, chunks: batch } of chunks.batches()) {
    const rows = batch.map(({ metadataJson }) => toRow(termWeights(metadataJson)));
    available += rows.filter((row) => row.length > 0).length;
    const pairs = rows.flat();
    await vectors.append({
      firstIndex: BigInt(firstRow),
      rowLengths: rows.map((row) => row.length),
      indices: pairs.map(({ index }) => index),
      values: pairs.map(({ value }) => value),
      tokens: pairs.map(({ term }) => term),
    });
  }
  // Documents alone: its weights say nothing of a query's words.
  const noQueries = queries.map(() => ({ indices: new Uint32Array(), values: new Float32Array() }));
  const truncated = new RowTally();
  return { model: metadataSpace, isLexical: false, vectors, queries: noQueries, available, truncated };
}
