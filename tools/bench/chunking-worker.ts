// One contestant of chunking-throughput, in a process of its own: nobody's garbage and compiled code are in another's time.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { embeddedModelsDir } from "@ragline/models";
import { TextTokenizer } from "@ragline/tokenizer";
import { type ContestantName, openContestant } from "./chunking-contestants.js";
import { answerMessages } from "./forked-worker.js";

/** What is chunked, and by whom. */
export interface ChunkingMessage {
  readonly contestant: ContestantName;
  /** Markdown files. */
  readonly paths: readonly string[];
}

/** What a contestant takes in processor time, for all documents; undefined where it is not installed. */
export interface ChunkingTimes {
  /** The first pass of the process, its code not yet compiled. */
  readonly firstSeconds: number;
  /** A pass later on, the mean of those timed. */
  readonly seconds: number;
  readonly chunks: number;
  /** Tokens of the longest chunk. */
  readonly mostTokens: number;
}

/** What passes together take before any is timed, and what those take that are: as much for a fast contestant as for a slow one. */
const warmUpSeconds = 3;
const timedSeconds = 3;

answerMessages<ChunkingMessage, ChunkingTimes | undefined>(async ({ contestant, paths }) => {
  const tokenizer = TextTokenizer.fromFile(join(embeddedModelsDir, "bge-small-en-v1.5", "tokenizer.json"));
  const documents = paths.map((path) => readFileSync(path, "utf8"));
  const chunk = await openContestant(contestant, tokenizer);
  if (chunk === undefined) return undefined;
  const pass = async (): Promise<{ texts: string[]; seconds: number }> => {
    // Time of the processor, not of the clock: other programs take turns with this one, but cost it nothing here.
    const startedAt = process.cpuUsage();
    const texts = await chunk(documents);
    const { user, system } = process.cpuUsage(startedAt);
    return { texts, seconds: (user + system) / 1e6 };
  };
  const { texts, seconds: firstSeconds } = await pass();
  for (let spent = firstSeconds; spent < warmUpSeconds; ) spent += (await pass()).seconds;
  let passes = 0;
  let spent = 0;
  for (; spent < timedSeconds; passes++) spent += (await pass()).seconds;
  const mostTokens = texts.reduce((most, text) => Math.max(most, tokenizer.count(text)), 0);
  return { firstSeconds, seconds: spent / passes, chunks: texts.length, mostTokens };
});
