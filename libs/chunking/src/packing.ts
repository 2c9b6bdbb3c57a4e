import type { Block } from "@ragline/documents";
import { type Context, type ContextMaker, joined, noContext } from "./context.js";
import { type Section, toSections } from "./section.js";
import type { Measure, Span } from "./span.js";
import { type RankedSpan, type SpanLimits, splitBlock } from "./spans.js";

/** A block with the white space behind it, or a part of one too large for a chunk. Only white space is in none. */
export interface Piece extends Span {
  readonly block: Block;
  readonly section: Section;
  /** Stands before a chunk that begins with this piece: the titles above it, a table's header, the fence of code. */
  readonly before: Context;
  /** Stands behind a chunk that ends with this piece: the end of a fence. */
  readonly after: Context;
  /** How good a place its start is to cut the text at: the lower, the better. */
  readonly rank: number;
  /** Whether a chunk must begin here. */
  readonly isForced: boolean;
}

/** Consecutive pieces that make one chunk. */
export type Group = readonly Piece[];

/** Pieces of a section that come before its subsections, and these. */
interface Node {
  readonly pieces: Piece[];
  readonly children: Node[];
}

/** A group below this share of the budget is joined with a neighbour where both fit. */
const smallShare = 1 / 4;
/** A chunk may end early, at the best border that is found past this share of the budget. */
const minFill = 0.6;
const maxTrailingSpace = 64;
/** As much of a piece's text as tells it from others of the same rank. */
const hashedLength = 48;

/**
 * Groups a document's blocks into chunks of at most `budget` tokens, context included. A section that fits is a group;
 * else its blocks are packed in order and its subsections grouped by the same rule. A heading stays with what follows.
 * Where a group ends depends on the text near its end alone, so an edit changes the chunks around it and no others.
 */
export class Packer {
  readonly #text: string;
  readonly #budget: number;
  readonly #measure: Measure;
  readonly #contexts: ContextMaker;
  readonly #turns: ReadonlySet<number>;
  readonly #sortedTurns: readonly number[];
  readonly #tileEnds = new Map<Block, number>();

  /** @param turns Offsets at which a new chunk begins in any case, in order. */
  constructor(
    text: string,
    blocks: readonly Block[],
    budget: number,
    measure: Measure,
    contexts: ContextMaker,
    turns: readonly number[],
  ) {
    this.#text = text;
    this.#budget = budget;
    this.#measure = measure;
    this.#contexts = contexts;
    this.#sortedTurns = turns;
    this.#turns = new Set(turns);
    // A block's tile takes the white space behind it in, which costs tokens in some models.
    for (const [i, block] of blocks.entries()) {
      const next = blocks[i + 1]?.start ?? text.length;
      this.#tileEnds.set(block, Math.min(next, block.end + maxTrailingSpace));
    }
  }

  pack(): Group[] {
    return this.#group(this.#toNode(toSections([...this.#tileEnds.keys()]), []));
  }

  #toNode(section: Section, lead: readonly Piece[]): Node {
    const pieces = [...lead];
    if (section.heading !== undefined && section.parent !== undefined) {
      const titles = this.#contexts.titles(section.parent);
      for (const piece of this.#split(section.heading, section, titles, this.#budget - titles.tokens))
        pieces.push(piece);
    }
    const titles = this.#contexts.titles(section);
    const headingTokens = tokensOf(pieces);
    // The first piece of the body must fit behind the headings, which then stand for the titles of its context.
    const before = Math.max(titles.tokens, headingTokens);
    const limit = Math.max(this.#budget - before, Math.floor(this.#budget / 2));
    for (const [i, block] of section.body.entries()) {
      for (const piece of this.#split(block, section, titles, limit, i === 0)) pieces.push(piece);
    }
    const [first, ...others] = section.children;
    if (first === undefined || section.body.length > 0) {
      return { pieces, children: section.children.map((child) => this.#toNode(child, [])) };
    }
    // Headings without a body of their own go with the first subsection.
    return { pieces: [], children: [this.#toNode(first, pieces), ...others.map((child) => this.#toNode(child, []))] };
  }

  /** @param limit Tokens that a part may have beside its context; the first one's context are the headings before it. */
  #split(block: Block, section: Section, titles: Context, limit: number, isFirst = false): Piece[] {
    const end = this.#tileEnds.get(block) ?? block.end;
    const whole = this.#spansOf(block, block.start, end, { limit });
    const repeated = whole.length > 1 ? this.#contexts.repeated(block, limit) : undefined;
    const own = repeated?.before ?? noContext;
    const behind = repeated?.after ?? noContext;
    const toPiece = ({ start, end: to, tokens, rank }: RankedSpan): Piece => {
      const after = to < end ? behind : noContext;
      const inner = start >= (repeated?.from ?? 0) ? own : noContext;
      // Where a part is so large that not all of it fits, the titles go first, then the header of a table.
      const contexts = [joined(titles, inner), inner, ...(repeated?.isNeeded ? [] : [titles])];
      const before = contexts.find((context) => context.tokens + tokens + after.tokens <= this.#budget) ?? noContext;
      const isHeading = block.kind === "heading" && rank === 0;
      const isForced = this.#turns.has(start);
      return {
        start,
        end: to,
        tokens,
        block,
        section,
        before,
        after,
        rank: isHeading ? (block.depth ?? 1) - 7 : rank,
        isForced,
      };
    };
    if (whole.length === 1) return whole.map(toPiece);
    const most = limit - own.tokens - behind.tokens;
    const needed = repeated?.isNeeded ? own.tokens + behind.tokens : 0;
    const split = (from: number, to: number): RankedSpan[] => {
      const spans = this.#spansOf(block, from, to, { limit: most, wholeLimit: this.#budget - needed });
      const [first] = spans;
      if (!isFirst || first === undefined || from > block.start || first.tokens <= most || repeated?.isNeeded)
        return spans;
      // Behind headings there is no room for what is larger.
      return [...this.#spansOf(block, first.start, first.end, { limit: most }), ...spans.slice(1)];
    };
    const longRule = this.#contexts.longRule(block, limit);
    if (longRule === undefined) return split(block.start, end).map(toPiece);
    // No chunk goes across the rule, for a core is one piece of the text.
    const rows = split(longRule.end, end).map(toPiece);
    return [
      ...split(block.start, longRule.start).map(toPiece),
      ...rows.map((row, i) => ({ ...row, isForced: i === 0 || row.isForced })),
    ];
  }

  #spansOf(block: Block, from: number, to: number, limits: SpanLimits): RankedSpan[] {
    const part = from === block.start ? block : { ...block, start: from };
    return splitBlock(this.#text, part, to, limits, this.#measure, this.#sortedTurns);
  }

  #group(node: Node): Group[] {
    if (tokensUnder(node) <= this.#budget) {
      const all = flatten(node);
      if (this.#fits(all) && all.every(({ isForced }, i) => i === 0 || !isForced)) return all.length > 0 ? [all] : [];
    }
    const groups = this.#even(this.#fill(node.pieces.map((piece) => [piece])));
    for (const child of node.children) for (const group of this.#group(child)) groups.push(group);
    return this.#joinSmall(groups);
  }

  /** Joins neighbours while they fit, and ends each group at the best border near its end. */
  #fill(items: readonly Group[]): Group[] {
    const filled: Group[] = [];
    for (let from = 0; from < items.length; ) {
      const sums = [tokensOf(items[from] ?? [])];
      let to = from + 1;
      for (; to < items.length; to++) {
        const next = items[to] ?? [];
        const sum = (sums.at(-1) ?? 0) + tokensOf(next);
        if (next[0]?.isForced || !this.#holds(items[from], next, sum)) break;
        sums.push(sum);
      }
      const isFree = to === items.length || items[to]?.[0]?.isForced === true;
      if (!isFree) to = from + this.#bestCount(items.slice(from, to + 1), sums);
      filled.push(items.slice(from, to).flat());
      from = to;
    }
    return filled;
  }

  /** How many of the first items make the best group; the last item is the one that does not fit any more. */
  #bestCount(items: readonly Group[], sums: readonly number[]): number {
    let best = items.length - 1;
    let bestKey: { rank: number; hash: number } | undefined;
    for (let count = items.length - 1; count > 0; count--) {
      const next = items[count]?.[0];
      if (bestKey !== undefined && (sums[count - 1] ?? 0) < this.#budget * minFill) break;
      if (next === undefined || isHeadingOf(items[count - 1]?.at(-1), next)) continue;
      const key = { rank: next.rank, hash: hashOf(this.#text.slice(next.start, next.start + hashedLength)) };
      if (bestKey === undefined || key.rank < bestKey.rank || (key.rank === bestKey.rank && key.hash < bestKey.hash)) {
        best = count;
        bestKey = key;
      }
    }
    return best;
  }

  /** Moves pieces from the group before the last to the last, so that no scrap is left. */
  #even(groups: Group[]): Group[] {
    const last = [...(groups.at(-1) ?? [])];
    const previous = [...(groups.at(-2) ?? [])];
    if (last[0]?.isForced || groups.length < 2) return groups;
    let before = tokensOf(previous);
    let after = tokensOf(last);
    for (let piece = previous.at(-1); piece !== undefined; piece = previous.at(-1)) {
      const keepsBody = previous.length > 1 && !isHeadingOf(previous.at(-2), piece);
      if (!keepsBody || after + piece.tokens > before - piece.tokens || !this.#fits([piece, ...last])) break;
      last.unshift(piece);
      previous.pop();
      before -= piece.tokens;
      after += piece.tokens;
      if (piece.isForced) break;
    }
    return [...groups.slice(0, -2), previous, last];
  }

  /** Joins runs of neighbours of which every other one at least is small. */
  #joinSmall(groups: readonly Group[]): Group[] {
    const joined: Group[] = [];
    let run: Group[] = [];
    const close = (): void => {
      for (const group of run.length > 1 ? this.#fill(run) : run) joined.push(group);
      run = [];
    };
    for (const group of groups) {
      const previous = run.at(-1);
      if (previous !== undefined && !this.#isSmall(previous) && !this.#isSmall(group)) close();
      run.push(group);
    }
    close();
    return joined;
  }

  #isSmall(group: Group): boolean {
    return tokensOf(group) < this.#budget * smallShare;
  }

  #fits(group: Group): boolean {
    return this.#holds(group, group, tokensOf(group));
  }

  /** Whether a chunk from the start of one group to the end of another has room for them. */
  #holds(from: Group | undefined, to: Group, tokens: number): boolean {
    const first = from?.[0];
    const last = to.at(-1);
    if (first === undefined || last === undefined) return true;
    const isTooLong = last.end - first.start > this.#measure.maxLength;
    return !isTooLong && first.before.tokens + tokens + last.after.tokens <= this.#budget;
  }
}

/** Whether a piece is the heading of what follows: these stay together. */
export function isHeadingOf(piece: Piece | undefined, next: Piece | undefined): boolean {
  if (piece?.block.kind !== "heading" || next === undefined) return false;
  return next.section === piece.section || next.section.parent === piece.section;
}

function tokensOf(group: Group): number {
  let sum = 0;
  for (const { tokens } of group) sum += tokens;
  return sum;
}

function tokensUnder({ pieces, children }: Node): number {
  let sum = tokensOf(pieces);
  for (const child of children) sum += tokensUnder(child);
  return sum;
}

function flatten(node: Node): Piece[] {
  return [...node.pieces, ...node.children.flatMap(flatten)];
}

/** FNV-1a over UTF-16 code units, 32 bits: decides between borders that are equally good, by their text alone. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
