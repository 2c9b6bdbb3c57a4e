import { pathToFileURL } from "node:url";
import type { StageSummary } from "@ragline/contracts";
import { fastestPrecision, type VerifiedModel } from "@ragline/models";
import { spawnService } from "@ragline/service-kit";
import type { TextTokenizer, TokenSequence } from "@ragline/tokenizer";
import { BareContest } from "./bare-contest.js";
import { openGraphModel } from "./graph-model.js";
import type { Findings } from "./report.js";
import { type BenchContext, fromRoot } from "./run-benchmark.js";
import { spreadOf } from "./statistics.js";

/** A stage that is measured through its service against a bare loop over the same graph. */
export interface StageContest {
  readonly stage: "sparse" | "rerank";
  readonly model: string;
  /** What the model computes, such as "texts". */
  readonly unit: string;
  /** What the bare loop computes: the same as the service, tokenised. */
  tokenise(tokenizer: TextTokenizer, model: VerifiedModel): readonly TokenSequence[];
  /** Sends everything to the service at an address, in the precision "auto". @returns the summary of its stream. */
  callService(address: string): Promise<StageSummary>;
}

/** The entry of a service's process. */
export function serviceEntry(name: string): URL {
  return pathToFileURL(fromRoot(`services/${name}/dist/main.js`));
}

/**
 * The summary on a stage's stream.
 * @throws Error when there is none.
 */
export async function readSummary<Kind extends { case: string | undefined; value?: unknown }>(
  replies: AsyncIterable<{ readonly kind: Kind }>,
): Promise<StageSummary> {
  let summary: StageSummary | undefined;
  for await (const { kind } of replies) if (kind.case === "summary") summary = kind.value as StageSummary;
  if (!summary) throw new Error("the stage ended its stream without a summary");
  return summary;
}

/** Measures both sides by turns. */
export async function measureStage(contest: StageContest, { rounds, say }: BenchContext): Promise<Findings> {
  const { stage, unit } = contest;
  const precision = fastestPrecision();
  const { model, tokenizer } = await openGraphModel(contest.model, stage, precision);
  const sequences = contest.tokenise(tokenizer, model);
  say("bare loop: looking for the fastest layout");
  const bare = await BareContest.open(model, sequences, unit);
  const stageRates: number[] = [];
  const callRates: number[] = [];
  try {
    const service = await spawnService({
      entry: serviceEntry(stage),
      name: stage,
      args: ["--log-level", "warn"],
      onLine: say,
    });
    try {
      await contest.callService(service.address);
      for (let round = 0; round < rounds; round++) {
        say(`round ${round + 1} of ${rounds}`);
        const startedAt = performance.now();
        const { items, seconds } = await contest.callService(service.address);
        callRates.push((1000 * Number(items)) / (performance.now() - startedAt));
        stageRates.push(Number(items) / seconds);
        await bare.run();
      }
    } finally {
      await service.stop();
    }
  } finally {
    bare.close();
  }
  return {
    figures: [
      { name: `ragline ${stage} stage, ${precision}`, unit: `${unit}/s`, ...spreadOf(stageRates) },
      { name: `ragline ${stage} call with opening the model`, unit: `${unit}/s`, ...spreadOf(callRates) },
      ...bare.figures(precision, stageRates),
      ...bare.sampleFigures,
    ],
    notes: [`${sequences.length} ${unit}, ${sequences.reduce((sum, { ids }) => sum + ids.length, 0)} tokens`],
  };
}
