import type { Block, BlockBreak } from "../block.js";
import { DocumentError } from "../document-error.js";
import type { ParsedText } from "../source-document.js";
import type { FormatReader, ParseText } from "./format-reader.js";

/** Shorter pieces of code fit into most chunks; they are cut between lines where they do not. */
const minCharacters = 256;
/** Grammars take far more time than the length says on code that is made to hold them: what is longer is cut between lines. */
const maxCharacters = 16 * 1024;
const maxDocumentCharacters = 512 * 1024;

/** What reads code of a language, by the name that documents give it. */
type FindReader = (language: string) => FormatReader | undefined;

/** Finds where the code among a text's blocks may be cut, by the grammars of the languages that it is said to be in. */
export async function withCodeBreaks(parsed: ParsedText, readerOf: FindReader): Promise<ParsedText> {
  if (!parsed.blocks.some(({ kind, language }) => kind === "code" && language !== undefined)) return parsed;
  const blocks: Block[] = [];
  let characters = 0;
  for (const block of parsed.blocks) {
    const { start, end } = codeOf(parsed.text, block);
    const isParsed = end - start >= minCharacters && end - start <= maxCharacters;
    if (isParsed) characters += end - start;
    const breaks =
      isParsed && characters <= maxDocumentCharacters
        ? await breaksOf(parsed.text.slice(start, end), start, await parserOf(block.language ?? "", readerOf))
        : [];
    blocks.push(breaks.length > 0 ? { ...block, breaks } : block);
  }
  return { ...parsed, blocks };
}

/** The code of a block without its fence; nothing for what is no code of a language that is named. */
function codeOf(text: string, { kind, language, start, end, breaks }: Block): { start: number; end: number } {
  if (kind !== "code" || language === undefined || breaks !== undefined) return { start, end: start };
  const source = text.slice(start, end);
  const opening = /^[ \t]*(`{3,}|~{3,})[^\n]*\n/.exec(source);
  if (opening === null) return { start, end };
  const closing = /\n[ \t]*(?:`{3,}|~{3,})[ \t]*$/.exec(source);
  return {
    start: start + opening[0].length,
    end: closing === null ? end : Math.max(start + opening[0].length, start + closing.index + 1),
  };
}

async function breaksOf(code: string, start: number, parse: ParseText | undefined): Promise<BlockBreak[]> {
  if (parse === undefined) return [];
  try {
    const { blocks } = await parse(code);
    return blocks.flatMap(({ breaks = [] }) => breaks.map(({ at, level }) => ({ at: at + start, level })));
  } catch (error) {
    // Code of documentation is often a piece that its grammar refuses; it is cut between lines.
    if (error instanceof DocumentError) return [];
    throw error;
  }
}

const parsers = new Map<string, Promise<ParseText | undefined>>();

function parserOf(language: string, readerOf: FindReader): Promise<ParseText | undefined> {
  const known = parsers.get(language);
  if (known !== undefined) return known;
  const parser = load(readerOf(language));
  parsers.set(language, parser);
  return parser;
}

async function load(reader: FormatReader | undefined): Promise<ParseText | undefined> {
  const loaded = await reader?.load();
  return loaded !== undefined && "text" in loaded ? loaded.text : undefined;
}
