import type { Block } from "@ragline/documents";
import { commonSection, type Section, toSections } from "./section.js";
import { type Measure, type Span, splitBlock } from "./spans.js";

/** A block with the white space behind it, or a part of one too large for a chunk. Only white space is in none. */
export interface Piece extends Span {
  readonly block: Block;
  readonly section: Section;
  /** Text before a chunk that begins with this piece: the titles above it and, inside a table, the table's header. */
  readonly context: string;
  readonly contextTokens: number;
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
/** Context may take this share of the budget; above it the outermost titles go first. */
const contextShare = 1 / 4;
const maxTrailingSpace = 64;

/**
 * Groups a document's blocks into chunks of at most `budget` tokens, context included. A section that fits is a group;
 * else its blocks are packed in order and its subsections grouped by the same rule. A heading stays with what follows.
 */
export class Packer {
  readonly #text: string;
  readonly #budget: number;
  readonly #measure: Measure;
  readonly #contexts = new Map<Section, { text: string; tokens: number }>();
  readonly #tileEnds = new Map<Block, number>();

  constructor(text: string, blocks: readonly Block[], budget: number, measure: Measure) {
    this.#text = text;
    this.#budget = budget;
    this.#measure = measure;
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
      const context = this.#contextOf(section.parent);
      for (const piece of this.#split(section.heading, section, context, this.#budget - context.tokens))
        pieces.push(piece);
    }
    const context = this.#contextOf(section);
    const headingTokens = tokensOf(pieces);
    // The first piece of the body must fit behind the headings, which then stand for the titles of its context.
    const before = Math.max(context.tokens, headingTokens);
    const limit = Math.max(this.#budget - before, Math.floor(this.#budget / 2));
    for (const block of section.body) {
      for (const piece of this.#split(block, section, context, limit)) pieces.push(piece);
    }
    const [first, ...others] = section.children;
    if (first === undefined || section.body.length > 0) {
      return { pieces, children: section.children.map((child) => this.#toNode(child, [])) };
    }
    // Headings without a body of their own go with the first subsection.
    return { pieces: [], children: [this.#toNode(first, pieces), ...others.map((child) => this.#toNode(child, []))] };
  }

  #split(block: Block, section: Section, context: Context, limit: number): Piece[] {
    const end = this.#tileEnds.get(block) ?? block.end;
    const whole = splitBlock(this.#text, block, end, limit, this.#measure);
    const plain = { block, section, context: context.text, contextTokens: context.tokens };
    const { headerEnd } = block;
    if (whole.length === 1 || headerEnd === undefined) return whole.map((span) => ({ ...span, ...plain }));

    // Rows far from their header mean little, so each chunk that begins inside the table repeats it.
    const [header = ""] = this.#text
      .slice(block.start, headerEnd)
      .trim()
      .replace(/[ \t]+/g, " ")
      .split(/[\r\n]/);
    const headerTokens = header.length <= this.#measure.maxLength ? this.#measure.tokens(header) : Infinity;
    if (headerTokens > limit * contextShare) return whole.map((span) => ({ ...span, ...plain }));
    const rows = splitBlock(this.#text, block, end, limit - headerTokens, this.#measure);
    return rows.map((span) =>
      span.start < headerEnd
        ? { ...span, ...plain }
        : { ...span, ...plain, context: `${context.text}${header}\n`, contextTokens: context.tokens + headerTokens },
    );
  }

  #contextOf(section: Section): Context {
    let context = this.#contexts.get(section);
    if (context === undefined) {
      context = this.#makeContext(section.path);
      this.#contexts.set(section, context);
    }
    return context;
  }

  #makeContext(path: readonly string[]): Context {
    for (let from = 0; from < path.length; from++) {
      const text = `${path.slice(from).join(" > ")}\n\n`;
      const tokens = text.length <= this.#measure.maxLength ? this.#measure.tokens(text) : Infinity;
      if (tokens <= this.#budget * contextShare) return { text, tokens };
    }
    return { text: "", tokens: 0 };
  }

  #group(node: Node): Group[] {
    const all = flatten(node);
    if (this.#fits(all)) return all.length > 0 ? [all] : [];
    const groups: Group[] = this.#packRun(node.pieces);
    for (const child of node.children) for (const group of this.#group(child)) groups.push(group);
    return this.#joinSmall(groups);
  }

  /** Fills group after group, then evens out the last two, so that no scrap is left. */
  #packRun(pieces: readonly Piece[]): Piece[][] {
    const groups: Piece[][] = [];
    let current: Piece[] = [];
    let sum = 0;
    for (const piece of pieces) {
      const first = current[0];
      if (
        first !== undefined &&
        (first.contextTokens + sum + piece.tokens > this.#budget || this.#isTooLong(first, piece))
      ) {
        groups.push(current);
        current = [];
        sum = 0;
      }
      current.push(piece);
      sum += piece.tokens;
    }
    if (current.length > 0) groups.push(current);
    const last = groups.at(-1);
    const previous = groups.at(-2);
    if (last !== undefined && previous !== undefined) this.#even(previous, last);
    return groups;
  }

  #even(previous: Piece[], last: Piece[]): void {
    let before = tokensOf(previous);
    let after = tokensOf(last);
    for (let piece = previous.at(-1); piece !== undefined; piece = previous.at(-1)) {
      const keepsBody = previous.length > 1 && previous.at(-2)?.block.kind !== "heading";
      if (!keepsBody || after + piece.tokens > before - piece.tokens || !this.#fits([piece, ...last])) return;
      last.unshift(piece);
      previous.pop();
      before -= piece.tokens;
      after += piece.tokens;
    }
  }

  #joinSmall(groups: readonly Group[]): Group[] {
    const joined: Group[] = [];
    for (const group of groups) {
      const previous = joined.at(-1);
      const both =
        previous !== undefined && (this.#isSmall(previous) || this.#isSmall(group)) ? [...previous, ...group] : [];
      if (both.length > 0 && this.#fits(both)) joined[joined.length - 1] = both;
      else joined.push(group);
    }
    return joined;
  }

  #isSmall(group: Group): boolean {
    return tokensOf(group) < this.#budget * smallShare;
  }

  #fits(group: Group): boolean {
    const [first] = group;
    const last = group.at(-1);
    if (first === undefined || last === undefined) return true;
    return !this.#isTooLong(first, last) && first.contextTokens + tokensOf(group) <= this.#budget;
  }

  #isTooLong(first: Piece, last: Piece): boolean {
    return last.end - first.start > this.#measure.maxLength;
  }
}

interface Context {
  readonly text: string;
  readonly tokens: number;
}

function tokensOf(group: Group): number {
  return group.reduce((sum, piece) => sum + piece.tokens, 0);
}

function flatten(node: Node): Piece[] {
  return [...node.pieces, ...node.children.flatMap(flatten)];
}

/** The innermost section that holds a whole group. */
export function sectionOf(group: Group): Section | undefined {
  let common = group[0]?.section;
  for (const { section } of group) common = common === undefined ? section : commonSection(common, section);
  return common;
}
