import type { Block, SourceDocument } from "@ragline/documents";
import type { ChunkDocumentOptions } from "./chunk-options.js";
import type { ChunkSpan } from "./chunk-span.js";
import { type Context, ContextMaker, noContext } from "./context.js";
import { type Group, isHeadingOf, Packer, type Piece } from "./packing.js";
import { commonSection, type Section, toSections } from "./section.js";
import { cutSentences } from "./sentences.js";
import type { Measure } from "./span.js";
import { windowRank } from "./spans.js";
import { TokenIndex, type WordTokens } from "./token-index.js";
import { splitWindows } from "./windows.js";

/** Far above what language needs for a token (about 4.5), so that it only bounds blobs of which a tokenizer makes one. */
const maxCharactersPerToken = 8;
/** What is kept free for each sentence of overlap, and the most of the budget that overlap takes. */
const tokensPerSentence = 32;
const overlapShare = 1 / 3;

/** Turns the groups of a document into chunks of which the tokens are known. */
export class Assembly {
  readonly #text: string;
  readonly #blocks: readonly Block[];
  readonly #options: ChunkDocumentOptions;
  readonly #words: WordTokens;
  readonly #budget: number;
  readonly #measure: Measure;
  readonly #contexts: ContextMaker;
  readonly #spans: ChunkSpan[] = [];

  constructor({ text, blocks }: SourceDocument, words: WordTokens, options: ChunkDocumentOptions) {
    const { maxTokens, overlapSentences = 0 } = options;
    this.#text = text;
    this.#blocks = blocks;
    this.#options = options;
    this.#words = words;
    const reserve = Math.min(overlapSentences * tokensPerSentence, Math.floor(maxTokens * overlapShare));
    this.#budget = Math.max(1, maxTokens - words.overhead - reserve);
    this.#contexts = new ContextMaker(text, this.#budget, words);
    this.#measure = { index: new TokenIndex(text, words), maxLength: maxTokens * maxCharactersPerToken };
  }

  /** All chunks in the order of the text. What no chunk within the budget can hold is in none. */
  spans(): ChunkSpan[] {
    for (const group of this.#options.strategy === "window" ? this.#windows() : this.#groups()) this.#emit(group);
    return this.#spans;
  }

  #groups(): Group[] {
    const { turns = [] } = this.#options;
    return new Packer(this.#text, this.#blocks, this.#budget, this.#measure, this.#contexts, turns).pack();
  }

  /** Windows over the whole text, each a group of what it holds of every block. */
  #windows(): Group[] {
    const sections = sectionsOf(this.#blocks);
    const groups: Group[] = [];
    const end = this.#blocks.at(-1)?.end ?? 0;
    let at = 0;
    for (const window of splitWindows(this.#text, this.#blocks[0]?.start ?? 0, end, this.#budget, this.#measure)) {
      const group: Piece[] = [];
      for (let start = window.start; start < window.end; ) {
        while ((this.#blocks[at + 1]?.start ?? Infinity) <= start) at++;
        const block = this.#blocks[at] as Block;
        const section = sections.get(block) as Section;
        const pieceEnd = Math.min(window.end, this.#blocks[at + 1]?.start ?? window.end);
        const tokens = this.#measure.index.tokens(start, pieceEnd);
        const rank = start === block.start ? 0 : windowRank;
        group.push({
          start,
          end: pieceEnd,
          tokens,
          block,
          section,
          before: noContext,
          after: noContext,
          rank,
          isForced: false,
        });
        start = pieceEnd;
      }
      groups.push(group);
    }
    return groups;
  }

  /** Adds the chunk of a group, or those of its parts where the estimate was too low. */
  #emit(group: Group): void {
    const [first] = group;
    const last = group.at(-1);
    if (first === undefined || last === undefined) return;
    const { start, end } = trimmed(this.#text, first.start, last.end);
    if (start === end) return;
    const section = sectionOf(group) ?? first.section;
    const overlapStart = this.#overlapStart(start, section, first);
    for (const before of new Set([this.#titles(first, section), first.before])) {
      for (const from of new Set([overlapStart, start]))
        if (this.#add(group, section, { before, from, start, end, after: last.after })) return;
    }
    if (group.length > 1) {
      const middle = group.length >> 1;
      this.#emit(group.slice(0, middle));
      this.#emit(group.slice(middle));
    } else if (!this.#add(group, section, { before: noContext, from: start, start, end, after: noContext }))
      this.#splitFurther(first);
  }

  /**
   * What stands before a chunk where there is room for it: where it begins with headings, the titles down to its own section
   * instead of those above, which would outweigh that of the section itself.
   */
  #titles({ block, start, before }: Piece, section: Section): Context {
    const isHeading = block.kind === "heading" && start === block.start && this.#options.strategy !== "window";
    const titles = isHeading && section.path.length > 1 ? this.#contexts.titles(section) : noContext;
    return titles === noContext ? before : titles;
  }

  #add(
    group: Group,
    section: Section,
    { before, from, start, end, after }: Pick<Piece, "before" | "after" | "start" | "end"> & { readonly from: number },
  ): boolean {
    const { index } = this.#measure;
    const text = before.text + this.#text.slice(from, end) + after.text;
    const tokens = index.isExact(from, end)
      ? this.#words.overhead + before.tokens + index.tokens(from, end) + after.tokens
      : this.#words.exact(text);
    if (tokens > this.#options.maxTokens) return false;
    const previous = this.#spans.at(-1);
    const startsWhole = (group[0]?.rank ?? 0) < windowRank;
    // What a window cut ends as it begins.
    if (previous !== undefined && !startsWhole) this.#spans[this.#spans.length - 1] = { ...previous, endsWhole: false };
    this.#spans.push({
      text,
      tokens,
      start,
      end,
      coreOffset: before.text.length + start - from,
      overlapTokens: index.tokens(from, start),
      section,
      sections: [...new Set(group.map((piece) => piece.section))],
      blocks: [...new Set(group.map(({ block }) => block))],
      startsWhole,
      endsWhole: true,
    });
    return true;
  }

  #splitFurther(piece: Piece): void {
    const limit = Math.max(1, Math.min(piece.tokens - 1, Math.floor(this.#budget / 2)));
    const measure = { ...this.#measure, maxLength: Math.max(1, (piece.end - piece.start) >> 1) };
    const windows = splitWindows(this.#text, piece.start, piece.end, limit, measure);
    // A code point that is over the budget by itself stays out of every chunk and is counted.
    if (windows.length === 1) return;
    for (const [i, window] of windows.entries())
      this.#emit([{ ...piece, ...window, rank: i === 0 ? piece.rank : windowRank }]);
  }

  /** Where the last sentences of the chunk before begin, when it stands in the same section and there is room for them. */
  #overlapStart(start: number, section: Section, first: Piece): number {
    const { overlapSentences = 0, maxTokens } = this.#options;
    const previous = this.#spans.at(-1);
    // Behind a table's header or a fence stand its own rows and lines, not those of the chunk before.
    const isPlain = first.before.text === "" || first.before.text.endsWith("\n\n");
    if (overlapSentences === 0 || previous === undefined || previous.section !== section || !isPlain) return start;
    const from = Math.max(previous.start, start - this.#measure.maxLength);
    const room = Math.floor(maxTokens * overlapShare);
    let overlapStart = start;
    for (const at of [from, ...cutSentences(this.#text, from, start)].slice(-overlapSentences).reverse()) {
      if (at === from && from > previous.start) break;
      if (this.#measure.index.tokens(at, start) > room) break;
      overlapStart = at;
    }
    return overlapStart;
  }
}

/** A span without the blank lines before it and the white space behind it; the first line keeps its indentation. */
function trimmed(text: string, start: number, end: number): { start: number; end: number } {
  const span = text.slice(start, end);
  const content = span.trimStart();
  if (content === "") return { start: end, end };
  const indentation = /[^\S\r\n]*$/.exec(span.slice(0, span.length - content.length))?.[0] ?? "";
  return { start: end - content.length - indentation.length, end: start + span.trimEnd().length };
}

/** The innermost section that holds a group; headings at its start that only lead to what follows do not count. */
function sectionOf(group: Group): Section | undefined {
  const from = group.findIndex((piece, i) => !isHeadingOf(piece, group[i + 1]));
  let common = group[from]?.section;
  for (const { section } of group.slice(from)) common = common === undefined ? section : commonSection(common, section);
  return common;
}

function sectionsOf(blocks: readonly Block[]): Map<Block, Section> {
  const sections = new Map<Block, Section>();
  const work = [toSections(blocks)];
  for (let section = work.pop(); section !== undefined; section = work.pop()) {
    if (section.heading !== undefined) sections.set(section.heading, section);
    for (const block of section.body) sections.set(block, section);
    for (const child of section.children) work.push(child);
  }
  return sections;
}
