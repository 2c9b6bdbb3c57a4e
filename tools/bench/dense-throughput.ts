// The dense stage through command line and gRPC, against a bare loop over the same graphs and against @huggingface/transformers.
import { join } from "node:path";
import type { ChunkRecord } from "@ragline/artifacts";
import { fastestPrecision, type Precision } from "@ragline/models";
import { BareContest } from "./bare-contest.js";
import { likeWhole } from "./bare-layouts.js";
import { doclingChunks, readDoclingChunks, writeChunks } from "./corpus.js";
import { openGraphModel } from "./graph-model.js";
import { PeerContest } from "./peer-contest.js";
import { finishRun, startRun } from "./ragline-run.js";
import type { Figure } from "./report.js";
import { runBenchmark } from "./run-benchmark.js";
import { spreadOf } from "./statistics.js";
import { hasPeer, peerIsMissing } from "./transformers-peer.js";

const modelKey = "bge-small-en-v1.5";
const precisions: readonly Precision[] = ["int8", "fp32"];
// What is slow computes about so many texts that stand for all.
const sampleTexts = 192;

/** One precision: its bare loops, and the texts per second of the stage, round by round. */
interface Contest {
  readonly precision: Precision;
  readonly texts: number;
  readonly chunkedDir: string;
  readonly bare: BareContest;
  readonly stageRates: number[];
  readonly wholeRates: number[];
}

async function openContest(
  precision: Precision,
  records: readonly ChunkRecord[],
  chunkedDir: string,
): Promise<Contest> {
  const { model, tokenizer } = await openGraphModel(modelKey, "dense", precision);
  const sequences = records.map(({ text }) => tokenizer.encode(text, model.entry.maxTokens));
  await writeChunks(chunkedDir, "docling", records);
  const bare = await BareContest.open(model, sequences, "texts");
  return { precision, texts: records.length, chunkedDir, bare, stageRates: [], wholeRates: [] };
}

async function playRound({ precision, chunkedDir, ...contest }: Contest, outputDir: string): Promise<void> {
  const inputs = ["--chunked-dir", chunkedDir, "--output-dir", outputDir];
  const model = ["--ensemble-models", modelKey, "--precision", precision];
  const off = ["--disable-sparse", "--disable-rerank", "--audit-queries", "0"];
  const { summary, wallSeconds } = await finishRun(startRun([...inputs, ...model, ...off]));
  const dense = summary.collections.flatMap(({ stages }) => stages).find(({ stage }) => stage === "dense");
  if (dense?.items !== contest.texts) throw new Error(`the dense stage did not compute all ${contest.texts} texts`);
  contest.stageRates.push(dense.items / dense.seconds);
  contest.wholeRates.push(dense.items / wallSeconds);
  await contest.bare.run();
}

function contestFigures({ precision, bare, stageRates, wholeRates }: Contest): Figure[] {
  return [
    { name: `ragline dense stage, ${precision}`, unit: "texts/s", ...spreadOf(stageRates) },
    { name: `ragline whole process, ${precision}`, unit: "texts/s", ...spreadOf(wholeRates) },
    ...bare.figures(precision, stageRates),
  ];
}

await runBenchmark({
  name: "dense-throughput",
  defaultRounds: 3,
  needs: doclingChunks,
  measure: async ({ rounds, limit, whole, dataDir, folder, say }) => {
    const records = await readDoclingChunks(dataDir, limit);
    const texts = records.map(({ text }) => text);
    const { model, tokenizer } = await openGraphModel(modelKey, "dense", "fp32");
    const startedAt = performance.now();
    const sequences = texts.map((text) => tokenizer.encode(text, model.entry.maxTokens));
    const tokeniseSeconds = (performance.now() - startedAt) / 1000;
    const lengths = sequences.map(({ ids }) => ids.length);
    const sample = new Set(likeWhole(lengths, sampleTexts));
    const sampled = records.filter((_, position) => sample.has(position));

    const contests: Contest[] = [];
    let peer: PeerContest | undefined;
    try {
      for (const precision of precisions) {
        say(`bare loop, ${precision}: looking for the fastest layout`);
        const computed = whole || precision === fastestPrecision() ? records : sampled;
        contests.push(await openContest(precision, computed, join(folder, precision)));
      }
      if (hasPeer()) {
        const count = whole ? texts.length : sampleTexts;
        peer = await PeerContest.open({ model, texts, sequences, count, folder: join(folder, "peer") });
      }
      for (let round = 0; round < rounds; round++) {
        for (const contest of contests) {
          say(`round ${round + 1} of ${rounds}: ragline and bare loop, ${contest.precision}`);
          await playRound(contest, join(folder, "out"));
        }
        if (peer) say(`round ${round + 1} of ${rounds}: @huggingface/transformers`);
        await peer?.run(round, rounds);
      }
    } finally {
      peer?.close();
      for (const { bare } of contests) bare.close();
    }
    const auto = contests.find(({ precision }) => precision === fastestPrecision());
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    return {
      figures: [
        ...contests.flatMap(contestFigures),
        ...(peer?.figures(auto?.stageRates ?? []) ?? []),
        ...contests.flatMap(({ bare }) => bare.sampleFigures),
      ],
      notes: [
        `${texts.length} texts, ${tokens} tokens; tokenising them once took ${tokeniseSeconds.toFixed(2)} s, which is outside of the bare loop's time and inside of the stage's`,
        `texts computed in each round: ${contests.map((contest) => `${contest.precision} ${contest.texts}`).join(", ")}`,
        peer?.note ?? peerIsMissing,
      ],
    };
  },
});
