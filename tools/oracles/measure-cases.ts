// Measures the cases that metrics_oracle.py makes, one JSON object a line on stdin, one a line on stdout.
import { createInterface } from "node:readline";
import { measureRun, readTrecQrels, readTrecRun } from "@ragline/evaluation";

type Scores = Record<string, Record<string, number>>;

/** Judgements and scores themselves, or the TREC files that hold them. */
interface Case {
  readonly qrels: Scores | string;
  readonly run: Scores | string;
  readonly metrics: string[];
}

const toMaps = (scores: Scores) =>
  new Map(Object.entries(scores).map(([query, documents]) => [query, new Map(Object.entries(documents))]));

for await (const line of createInterface({ input: process.stdin })) {
  const { qrels, run, metrics } = JSON.parse(line) as Case;
  const measured = measureRun(
    typeof qrels === "string" ? (await readTrecQrels(qrels)).judgements : toMaps(qrels),
    typeof run === "string" ? (await readTrecRun(run)).scores : toMaps(run),
    { metrics },
  );
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}
