// What reading and chunking Markdown costs on one core, against the text splitters of LangChain and Chonkie.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Chunker } from "@ragline/chunking";
import { parseDocument } from "@ragline/documents";
import { TextTokenizer } from "@ragline/inference";
import { embeddedModelsDir } from "@ragline/models";
import type { Figure } from "./report.js";
import { runBenchmark } from "./run-benchmark.js";
import { ratioOf, spreadOf } from "./statistics.js";

const maxTokens = 256;
const tokenizerPath = join(embeddedModelsDir, "bge-small-en-v1.5", "tokenizer.json");

/** Chunks all documents once. @returns how many chunks, and the most tokens of one. */
type Contestant = (documents: readonly string[]) => Promise<{ chunks: number; mostTokens: number }>;

function ragline(tokenizer: TextTokenizer): Contestant {
  return async (documents) => {
    const countTokens = (text: string): number => tokenizer.count(text);
    const { isSeparable: separable, piecesOf } = tokenizer;
    const chunker = new Chunker({ maxTokens, countTokens, separable, piecesOf });
    let chunks = 0;
    let mostTokens = 0;
    for (const text of documents) {
      const document = await parseDocument("document.md", Buffer.from(text));
      for (const { metadata } of chunker.chunk(document).chunks) {
        chunks++;
        mostTokens = Math.max(mostTokens, Number(metadata.token_count));
      }
    }
    return { chunks, mostTokens };
  };
}

/** A peer that is no dependency: it is looked for below the folder that RAGLINE_PEERS names. */
async function peer(name: string): Promise<Record<string, unknown> | undefined> {
  const folder = process.env.RAGLINE_PEERS;
  if (folder === undefined) return undefined;
  const entry = pathToFileURL(join(folder, "node_modules", name, "dist", "index.js")).href;
  return import(entry).then(
    (module: Record<string, unknown>) => module,
    () => undefined,
  );
}

/** The peers add the counts of parts up, so that what the model puts around a text is left out and kept free instead. */
function withoutSpecials(tokenizer: TextTokenizer): {
  readonly countTokens: (text: string) => number;
  readonly room: number;
} {
  const specials = tokenizer.count("");
  return { countTokens: (text) => tokenizer.count(text) - specials, room: maxTokens - specials };
}

interface Splitter {
  splitText(text: string): Promise<string[]>;
}

async function langchain(tokenizer: TextTokenizer): Promise<Contestant | undefined> {
  const module = await peer("@langchain/textsplitters");
  if (module === undefined) return undefined;
  const Splitter = module["MarkdownTextSplitter"] as new (options: object) => Splitter;
  const { countTokens: lengthFunction, room: chunkSize } = withoutSpecials(tokenizer);
  const splitter = new Splitter({ chunkSize, chunkOverlap: 0, lengthFunction });
  return async (documents) => tally(tokenizer, documents, (text) => splitter.splitText(text));
}

interface Recursive {
  chunk(text: string): Promise<{ text: string }[]>;
}

async function chonkie(tokenizer: TextTokenizer): Promise<Contestant | undefined> {
  const module = await peer("@chonkiejs/core");
  if (module === undefined) return undefined;
  const chunkerClass = module["RecursiveChunker"] as { create(options: object): Promise<Recursive> };
  const encode = (text: string): number[] => [...tokenizer.encode(text, Number.MAX_SAFE_INTEGER).ids];
  const { countTokens, room: chunkSize } = withoutSpecials(tokenizer);
  const chunker = await chunkerClass.create({ tokenizer: { countTokens, encode, decode: () => "" }, chunkSize });
  return async (documents) =>
    tally(tokenizer, documents, async (text) => (await chunker.chunk(text)).map((chunk) => chunk.text));
}

let isTallied = false;

/** Counts tokens in the first round alone, which is not timed. */
async function tally(
  tokenizer: TextTokenizer,
  documents: readonly string[],
  split: (text: string) => Promise<string[]>,
): Promise<{ chunks: number; mostTokens: number }> {
  let chunks = 0;
  let mostTokens = 0;
  for (const text of documents) {
    const parts = await split(text);
    chunks += parts.length;
    if (!isTallied) for (const part of parts) mostTokens = Math.max(mostTokens, tokenizer.count(part));
  }
  return { chunks, mostTokens };
}

await runBenchmark({
  name: "chunking-throughput",
  defaultRounds: 3,
  needs: "docling/raw",
  measure: async ({ rounds, limit, dataDir, say }) => {
    const folder = join(dataDir, "docling", "raw");
    const names = readdirSync(folder)
      .sort()
      .slice(0, limit ?? undefined);
    const documents = names.map((name) => readFileSync(join(folder, name), "utf8"));
    const megabytes = documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
    const tokenizer = TextTokenizer.fromFile(tokenizerPath);
    const contestants: [string, Contestant | undefined][] = [
      ["ragline", ragline(tokenizer)],
      ["@langchain/textsplitters", await langchain(tokenizer)],
      ["@chonkiejs/core", await chonkie(tokenizer)],
    ];
    const speeds = new Map<string, number[]>();
    const notes: string[] = [
      `Budget ${maxTokens} tokens of bge-small-en-v1.5, ${names.length} Markdown documents, ${megabytes.toFixed(2)} MB, one thread; Ragline's time includes parsing, metadata and the ledger.`,
    ];
    for (const [name, contestant] of contestants) {
      if (contestant === undefined) {
        notes.push(`${name} was not there: install it in a folder of its own and name that folder in RAGLINE_PEERS.`);
        continue;
      }
      const { chunks, mostTokens } = await contestant(documents);
      notes.push(`${name}: ${chunks} chunks, the longest of ${mostTokens} tokens.`);
      speeds.set(name, []);
    }
    isTallied = true;
    for (let round = 0; round < rounds; round++) {
      for (const [name, contestant] of contestants) {
        if (contestant === undefined) continue;
        const startedAt = process.cpuUsage();
        await contestant(documents);
        const { user, system } = process.cpuUsage(startedAt);
        // Time of the processor, not of the clock: other programs take turns with this one, but cost it nothing here.
        speeds.get(name)?.push(megabytes / ((user + system) / 1e6));
        say(`round ${round + 1}: ${name} ${speeds.get(name)?.at(-1)?.toFixed(2)} MB/s`);
      }
    }
    const ours = speeds.get("ragline") ?? [];
    const figures: Figure[] = [...speeds].map(([name, values]) => ({ name, unit: "MB/CPU-s", ...spreadOf(values) }));
    for (const [name, theirs] of speeds) {
      if (name !== "ragline")
        figures.push({ name: `ragline / ${name}`, unit: "", ...ratioOf(ours, theirs), aim: { atLeast: 1 } });
    }
    return { figures, notes };
  },
});
