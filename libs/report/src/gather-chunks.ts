import { join } from "node:path";
import { documentOf, LineIndex, type Run } from "@ragline/artifacts";
import { tickStep } from "d3-array";
import type { Bin } from "./histogram.js";

/** What the page says of the chunks, gathered in one pass. */
export interface ChunkFacts {
  /** Chunks by document, those with most first. */
  readonly documents: readonly (readonly [document: string, chunks: number])[];
  /** What lengths are counted in: tokens where every chunk tells them, else characters. */
  readonly unit: "tokens" | "characters";
  readonly lengths: readonly Bin[];
  /** How often each length above a limit occurs is answered from this: length -> chunks. */
  readonly chunksByLength: ReadonlyMap<number, number>;
  /** Row numbers of the sample, and the document of each. */
  readonly sample: readonly { readonly row: number; readonly document: string }[];
  /** Where the points' lines are, so that those of the sample can be read. */
  readonly lines: LineIndex;
}

function lengthOf(metadata: Readonly<Record<string, unknown>>, key: string): number | undefined {
  const value = metadata[key];
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;
}

const increment = <Key>(counts: Map<Key, number>, key: Key): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

/** Columns of about equal, round width over all lengths. */
export function binLengths(chunksByLength: ReadonlyMap<number, number>, most = 30): Bin[] {
  let longest = 0;
  for (const length of chunksByLength.keys()) longest = Math.max(longest, length);
  const step = Math.max(1, tickStep(0, longest + 1, most));
  const counts = new Array<number>(Math.floor(longest / step) + 1).fill(0);
  for (const [length, chunks] of chunksByLength) {
    const at = Math.floor(length / step);
    counts[at] = (counts[at] ?? 0) + chunks;
  }
  return counts.map((count, i) => ({ from: i * step, to: (i + 1) * step, count }));
}

/**
 * Reads the metadata of all chunks of a run once.
 * @param sampleSize rows of the sample at most, spread evenly over the run.
 */
export async function gatherChunks(run: Run, sampleSize: number): Promise<ChunkFacts> {
  const documents = new Map<string, number>();
  const tokens = new Map<number, number>();
  const characters = new Map<number, number>();
  const sample: { row: number; document: string }[] = [];
  const step = Math.max(1, run.chunkCount / sampleSize);
  const offsets = [0];
  let row = 0;
  let withTokens = 0;
  for await (const { metadata, textCharacters, endOffset } of run.readMetadata()) {
    const document = documentOf(metadata);
    increment(documents, document);
    const tokenCount = lengthOf(metadata, "token_count");
    if (tokenCount !== undefined) {
      withTokens++;
      increment(tokens, tokenCount);
    }
    increment(characters, textCharacters);
    if (row >= Math.floor(sample.length * step) && sample.length < sampleSize) sample.push({ row, document });
    offsets.push(endOffset);
    row++;
  }
  const unit = withTokens === row ? "tokens" : "characters";
  const chunksByLength = unit === "tokens" ? tokens : characters;
  return {
    documents: [...documents].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)),
    unit,
    lengths: binLengths(chunksByLength),
    chunksByLength,
    sample,
    lines: LineIndex.fromOffsets(join(run.dir, run.names.qdrant), offsets),
  };
}
