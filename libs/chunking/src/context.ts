import type { Block } from "@ragline/documents";
import type { Section } from "./section.js";
import type { WordTokens } from "./token-index.js";

/** Text beside a chunk's core, and its tokens without special ones. */
export interface Context {
  readonly text: string;
  readonly tokens: number;
}

/** What the parts of a block repeat. */
export interface RepeatedContext {
  /** A table's header, or the line that opens a fence: stands before parts that begin at or behind `from`. */
  readonly before: Context;
  /** The line that closes a fence: stands behind all parts but the last. */
  readonly after: Context;
  readonly from: number;
  /** Whether parts are broken without it, as code outside its fence is. */
  readonly isNeeded: boolean;
}

/** Context may take this share of the budget; above it the outermost titles go first. */
const contextShare = 1 / 4;
/** A table's rule is left out of the text above this share of the budget: it says nothing. */
const longRuleShare = 1 / 2;
/** Longer headers and titles are not counted, since they would not be used. */
const maxContextLength = 4000;
const tableRule = /^[|:\- ]*-[|:\- ]*$/;
/** Nothing stands in front of a chunk. */
export const noContext: Context = { text: "", tokens: 0 };

/** Both, one behind the other. */
export function joined(outer: Context, inner: Context): Context {
  return { text: outer.text + inner.text, tokens: outer.tokens + inner.tokens };
}

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
    let titles = noContext;
    for (let from = 0; from < path.length && titles === noContext; from++) {
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
  repeated(block: Block, limit: number): RepeatedContext | undefined {
    const found =
      block.kind === "table" ? this.#header(block) : block.kind === "code" ? this.#fence(block, limit) : undefined;
    const isShort = found !== undefined && found.before.tokens + found.after.tokens <= limit * contextShare;
    return isShort ? found : undefined;
  }

  /** The line below a table's header, where its dashes would fill much of a chunk: it is left out of all of them. */
  longRule(block: Block, limit: number): { readonly start: number; readonly end: number } | undefined {
    const { lines, end } = this.#headerLines(block);
    const rule = lines[1] ?? "";
    const isLong = rule.length > 2 * shortRule(rule).length && this.#words.count(rule) > limit * longRuleShare;
    if (lines.length !== 2 || !tableRule.test(rule) || !isLong) return undefined;
    return { start: this.#text.lastIndexOf(rule, end - rule.length), end };
  }

  #headerLines({ kind, start, headerEnd = start }: Block): { lines: string[]; end: number } {
    if (kind !== "table" || headerEnd - start > maxContextLength) return { lines: [], end: start };
    const lines = this.#text
      .slice(start, headerEnd)
      .trim()
      .split(/\r\n|\r|\n/);
    return { lines: lines.map((line) => line.trim()), end: headerEnd };
  }

  #header(block: Block): RepeatedContext | undefined {
    const { lines, end } = this.#headerLines(block);
    const [header = "", rule = ""] = lines.map((line) => line.replace(/[ \t]+/g, " "));
    if (header === "") return undefined;
    const text = tableRule.test(rule) ? `${header}\n${shortRule(rule)}\n` : `${header}\n`;
    return { before: this.#count(text), after: noContext, from: end, isNeeded: false };
  }

  #fence({ start, end }: Block, limit: number): RepeatedContext | undefined {
    const head = this.#text.slice(start, Math.min(end, start + maxContextLength));
    const [line = "", indent = "", mark = ""] = /^([ \t]*)(`{3,}|~{3,})[^\r\n]*/.exec(head) ?? [];
    if (mark === "") return undefined;
    const after = this.#count(`\n${indent}${mark}`);
    const whole = this.#count(`${line}\n`);
    // Behind the language some write a title, attributes and what not.
    const before = whole.tokens + after.tokens <= limit * contextShare ? whole : this.#count(`${indent}${mark}\n`);
    return { before, after, from: start + line.length, isNeeded: true };
  }

  #count(text: string): Context {
    return { text, tokens: text.length > maxContextLength ? Infinity : this.#words.count(text) };
  }
}

/** A table's rule with one dash for each column. */
function shortRule(rule: string): string {
  return rule.replace(/-+/g, "-").replaceAll(" ", "");
}
