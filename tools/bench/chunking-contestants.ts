import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Chunker } from "@ragline/chunking";
import { parseDocument } from "@ragline/documents";
import type { TextTokenizer } from "@ragline/tokenizer";

/** Tokens that a chunk may have, those that the model puts around a text included. */
export const maxTokens = 256;

/** Who chunks; the peers by the names of their packages. */
export const contestants = ["ragline", "@langchain/textsplitters", "@chonkiejs/core"] as const;
export type ContestantName = (typeof contestants)[number];

/** Chunks all documents once. @returns the texts of the chunks. */
export type Contestant = (documents: readonly string[]) => Promise<string[]>;

/** Makes what chunks; undefined where the peer is not installed. */
export function openContestant(name: ContestantName, tokenizer: TextTokenizer): Promise<Contestant | undefined> {
  if (name === "ragline") return Promise.resolve(ragline(tokenizer));
  return name === "@chonkiejs/core" ? chonkie(name, tokenizer) : langchain(name, tokenizer);
}

/** Everything that `ragline chunk` does with a document but to read and to write files. A new chunker knows no words yet. */
function ragline(tokenizer: TextTokenizer): Contestant {
  return async (documents) => {
    const countTokens = (text: string): number => tokenizer.count(text);
    const { isSeparable: separable, piecesOf } = tokenizer;
    const chunker = new Chunker({ maxTokens, countTokens, separable, piecesOf });
    const texts: string[] = [];
    for (const source of documents) {
      const document = await parseDocument("document.md", Buffer.from(source));
      for (const { text } of chunker.chunk(document).chunks) texts.push(text);
    }
    return texts;
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

async function langchain(name: string, tokenizer: TextTokenizer): Promise<Contestant | undefined> {
  const module = await peer(name);
  if (module === undefined) return undefined;
  const Splitter = module["MarkdownTextSplitter"] as new (options: object) => Splitter;
  const { countTokens: lengthFunction, room: chunkSize } = withoutSpecials(tokenizer);
  const splitter = new Splitter({ chunkSize, chunkOverlap: 0, lengthFunction });
  return (documents) => ofEach(documents, (text) => splitter.splitText(text));
}

interface Recursive {
  chunk(text: string): Promise<{ text: string }[]>;
}

async function chonkie(name: string, tokenizer: TextTokenizer): Promise<Contestant | undefined> {
  const module = await peer(name);
  if (module === undefined) return undefined;
  const chunkerClass = module["RecursiveChunker"] as { create(options: object): Promise<Recursive> };
  const encode = (text: string): number[] => [...tokenizer.encode(text, Number.MAX_SAFE_INTEGER).ids];
  const { countTokens, room: chunkSize } = withoutSpecials(tokenizer);
  const chunker = await chunkerClass.create({ tokenizer: { countTokens, encode, decode: () => "" }, chunkSize });
  return (documents) => ofEach(documents, async (text) => (await chunker.chunk(text)).map((chunk) => chunk.text));
}

async function ofEach(
  documents: readonly string[],
  split: (text: string) => Promise<readonly string[]>,
): Promise<string[]> {
  const texts: string[] = [];
  for (const document of documents) for (const text of await split(document)) texts.push(text);
  return texts;
}
