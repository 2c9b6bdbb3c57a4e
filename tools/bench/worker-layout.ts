// Which number of worker processes with how many threads each is fastest, through the library that the stages use.
import { availableParallelism } from "node:os";
import { ModelSession } from "@ragline/inference";
import type { Precision } from "@ragline/models";
import { type TokenSequence } from "@ragline/tokenizer";
import { likeWhole } from "./bare-layouts.js";
import { doclingChunks, readDoclingChunks } from "./corpus.js";
import { openGraphModel } from "./graph-model.js";
import { runBenchmark } from "./run-benchmark.js";
import { ratioOf, spreadOf } from "./statistics.js";

const precisions: readonly Precision[] = ["int8", "fp32"];

const sampleTexts = 64;

interface Contestant {
  readonly name: string;
  readonly precision: Precision;
  readonly isDefault: boolean;
  readonly session: ModelSession;
  readonly rates: number[];
}

await runBenchmark({
  name: "worker-layout",
  defaultRounds: 3,
  needs: doclingChunks,
  measure: async ({ rounds, limit, dataDir, say }) => {
    const records = await readDoclingChunks(dataDir, limit);
    const contestants: Contestant[] = [];
    const cores = availableParallelism();
    const counts = [...new Set([1, cores])];
    let sequences: TokenSequence[] = [];
    try {
      for (const precision of precisions) {
        const { model, tokenizer } = await openGraphModel("bge-small-en-v1.5", "dense", precision);
        const all = records.map(({ text }) => tokenizer.encode(text, model.entry.maxTokens));
        sequences = likeWhole(
          all.map(({ ids }) => ids.length),
          sampleTexts,
        ).flatMap((position) => all[position] ?? []);
        for (const workers of counts) {
          for (const threads of counts) {
            const session = await ModelSession.open(model, { workers, threadsPerWorker: threads });
            const name = `${precision}, ${workers} workers x ${threads} threads`;
            const isDefault = workers === cores && threads === 1;
            contestants.push({ name, precision, isDefault, session, rates: [] });
          }
        }
      }
      for (let round = 0; round < rounds; round++) {
        say(`round ${round + 1} of ${rounds}`);
        for (const { session, rates } of contestants) {
          await session.run(sequences.slice(-2), () => undefined);
          const startedAt = performance.now();
          await session.run(sequences, () => undefined);
          rates.push((1000 * sequences.length) / (performance.now() - startedAt));
        }
      }
      const rivals = precisions.map((precision) => {
        const own = contestants.filter((contestant) => contestant.precision === precision);
        const best = own.reduce((a, b) => (spreadOf(b.rates).median > spreadOf(a.rates).median ? b : a));
        const standard = own.find(({ isDefault }) => isDefault) ?? best;
        return { precision, best, standard };
      });
      return {
        figures: [
          ...contestants.map(({ name, rates }) => ({ name, unit: "texts/s", ...spreadOf(rates) })),
          ...rivals.map(({ precision, best, standard }) => ({
            name: `default / fastest, ${precision}`,
            unit: "",
            ...ratioOf(standard.rates, best.rates),
            aim: { atLeast: 0.97 },
          })),
        ],
        notes: [
          `${sequences.length} texts; the default is one worker for each core, with one thread`,
          ...rivals.map(({ best }) => `fastest: ${best.name}`),
        ],
      };
    } finally {
      await Promise.all(contestants.map(({ session }) => session.close()));
    }
  },
});
