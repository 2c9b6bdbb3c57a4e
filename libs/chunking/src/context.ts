import type { Block } from "@ragline/documents";
import type { Section } from "./section.js";
import type { WordTokens } from "./token-index.js";

/** Text beside a chunk's core, and its tokens without special ones. */
export interface Context {
  readonly text: string;
  readonly tokens: number;
}

/** What stands before and behind the parts of a block. */
export interface BlockContext {
  readonly before: Context;
  readonly after: Context;
}

/** What the parts of a block repeat. */
export interface RepeatedContext extends BlockContext {
  /** Parts that begin at or behind this offset repeat it. */
  readonly from: number;
  /** The line below a table's header, where its dashes would fill much of a chunk: it is left out of all of them. */
  readonly longRule?: { readonly start: number; readonly end: number };
}

/** Context may take this share of the budget; above it the outermost titles go first. */
const contextShare = 1 / 4;
/** A table's rule is left out of the text above this share of the budget: it says nothing. */
const longRuleShare = 1 / 2;
/** Longer headers and titles are not counted, since they would not be used. */
const maxContextLength = 4000;
const none: Context = { text: "", tokens: 0 };

/** Makes the texts that say where a chunk's core comes from. They are counted in the budget and are no part of the core. */
export class ContextMaker {
  readonly #text: string;
  readonly #budget: number;
  readonly #words: WordTokens;
  readonly #titles = new Map<Section, Context>();

  /** @param budget Tokens of a chunk without special ones. */
  constructor(text: string, budget: number, words: WordTokens) {
    this.#text = text;
    this.#budget = budget;
    this.#words = words;
  }

  /** The titles down to a section, "Guide > Install" and a blank line; outer ones are left out where they are too long. */
  titles(section: Section): Context {
    const known = this.#titles.get(section);
    if (known !== undefined) return known;
    const { path } = section;
    let titles = none;
    for (let from = 0; from < path.length && titles === none; from++) {
      const context = this.#count(`${path.slice(from).join(" > ")}\n\n`);
      if (context.tokens <= this.#budget * contextShare) titles = context;
    }
    this.#titles.set(section, titles);
    return titles;
  }

  /**
   * What each part of a block repeats: a table its header, since rows far from it mean little, and code its fence, so that
   * every part is whole Markdown.
   * @returns undefined when there is nothing to repeat, or no room for it.
   */
  repeated(block: Block, titles: Context, limit: number): RepeatedContext | undefined {
    const found =
      block.kind === "table" ? this.#tableHeader(block, limit) : block.kind === "code" ? this.#fence(block) : undefined;
    if (found === undefined || found.before.tokens + found.after.tokens > limit * contextShare) return undefined;
    const { before } = found;
    return { ...found, before: { text: titles.text + before.text, tokens: titles.tokens + before.tokens } };
  }

  #tableHeader(block: Block, limit: number): RepeatedContext | undefined {
    const { headerEnd } = block;
    if (headerEnd === undefined || headerEnd - block.start > maxContextLength) return undefined;
    const lines = this.#text
      .slice(block.start, headerEnd)
      .trim()
      .split(/\r\n|\r|\n/);
    const [header = "", rule = ""] = lines.map((line) => line.trim().replace(/[ \t]+/g, " "));
    if (header === "") return undefined;
    const isMarkdown = /^[|:\- ]*-[|:\- ]*$/.test(rule);
    const text = isMarkdown ? `${header}\n${rule.replace(/-+/g, "-").replaceAll(" ", "")}\n` : `${header}\n`;
    const before = this.#count(text);
    const ruleStart = this.#text.lastIndexOf(lines.at(-1) ?? "", headerEnd);
    const isLong = isMarkdown && lines.length === 2 && this.#count(rule).tokens > limit * longRuleShare;
    const longRule = isLong ? { longRule: { start: ruleStart, end: headerEnd } } : {};
    return { before, after: none, from: headerEnd, ...longRule };
  }

  #fence({ start, end }: Block): RepeatedContext | undefined {
    const head = this.#text.slice(start, Math.min(end, start + maxContextLength));
    const [line = "", indent = "", mark = ""] = /^([ \t]*)(`{3,}|~{3,})[^\r\n]*/.exec(head) ?? [];
    if (mark === "") return undefined;
    return { before: this.#count(`${line}\n`), after: this.#count(`\n${indent}${mark}`), from: start + line.length };
  }

  #count(text: string): Context {
    return { text, tokens: text.length > maxContextLength ? Infinity : this.#words.count(text) };
  }
}
