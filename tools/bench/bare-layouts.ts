import { availableParallelism } from "node:os";
import type { VerifiedModel } from "@ragline/models";
import type { TokenSequence } from "@ragline/tokenizer";
import { type BareLayout, BareLoop, layoutName } from "./bare-loop.js";
import { every, inBatches, longestFirst } from "./batching.js";
import type { Figure } from "./report.js";
import { spreadOf } from "./statistics.js";

/** The layouts that are tried: one process with all cores, and one process with one thread for each core. */
export function bareLayouts(precision: VerifiedModel["precision"], cores = availableParallelism()): BareLayout[] {
  const batchSizes = precision === "fp32" ? [1, 8, 32] : [1, 8];
  const layouts = batchSizes.map(
    (batchSize): BareLayout => ({ processes: 1, threads: cores, batchSize, split: "static" }),
  );
  if (cores === 1) return layouts;
  const spread = batchSizes.map(
    (batchSize): BareLayout => ({ processes: cores, threads: 1, batchSize, split: "dynamic" }),
  );
  return [...layouts, ...spread, { processes: cores, threads: 1, batchSize: 1, split: "static" }];
}

// Two blocks of texts: enough to tell layouts apart.
const sampleTexts = 64;
const widestBatch = 32;
const warmUpTexts = 8;
// A layout that is slower than this share of the fastest in its first try is not tried again.
const hopefulShare = 0.8;

/**
 * Positions of about `count` texts that stand for all: every so many blocks of 32 texts of like length, so that in
 * batches of up to 32 they pad as the whole does.
 */
export function likeWhole(lengths: readonly number[], count: number): number[] {
  const blocks = inBatches(longestFirst(lengths), widestBatch);
  const step = Math.max(1, Math.round(lengths.length / count));
  return every(blocks, step, step >> 1).flat();
}

/** A layout that was tried. */
export interface TriedLayout {
  readonly layout: BareLayout;
  readonly figure: Figure;
}

/** Tries all layouts over a sample of the texts, by turns, the hopeless ones once. @returns them with their rates, the fastest first. */
export async function tryLayouts(
  model: VerifiedModel,
  sequences: readonly TokenSequence[],
  rounds: number,
  unit: string,
): Promise<TriedLayout[]> {
  const sample = likeWhole(
    sequences.map(({ ids }) => ids.length),
    sampleTexts,
  );
  const tried: { loop: BareLoop; rates: number[] }[] = [];
  try {
    for (const layout of bareLayouts(model.precision)) {
      const loop = await BareLoop.open(model, sequences, layout);
      tried.push({ loop, rates: [] });
      await loop.run(sample.slice(-warmUpTexts));
    }
    for (let round = 0; round < rounds; round++) {
      const fastest = Math.max(0, ...tried.flatMap(({ rates }) => rates));
      const hopeful = tried.filter(({ rates }) => round === 0 || Math.max(...rates) >= hopefulShare * fastest);
      for (const { loop, rates } of hopeful) rates.push(sample.length / (await loop.run(sample)));
    }
  } finally {
    for (const { loop } of tried) loop.close();
  }
  return tried
    .map(({ loop: { layout }, rates }) => ({
      layout,
      figure: { name: `bare sample, ${model.precision}, ${layoutName(layout)}`, unit: `${unit}/s`, ...spreadOf(rates) },
    }))
    .sort((a, b) => b.figure.median - a.figure.median);
}
