import MarkdownIt from "markdown-it";
import type { Block, BlockBreak } from "../block.js";
import type { ParsedText } from "../source-document.js";
import { nextLineStart, paragraphs } from "./text-blocks.js";

type Token = ReturnType<InstanceType<typeof MarkdownIt>["parse"]>[number];

/** Makes plain objects of tokens. The library's own set one field after the other, which takes several times as long. */
class BlockState extends MarkdownIt.StateBlock {
  override push(type: string, tag: string, nesting: -1 | 0 | 1): Token {
    if (nesting < 0) this.level--;
    // No rule for blocks calls a token's methods.
    const token = {
      type,
      tag,
      nesting,
      level: this.level,
      attrs: null,
      map: null,
      children: null,
      meta: null,
      content: "",
      markup: "",
      info: "",
      block: true,
      hidden: false,
    } as Token;
    if (nesting > 0) this.level++;
    this.tokens.push(token);
    return token;
  }
}

// Only the block structure matters here; leaving the inline rules out makes parsing linear on any input.
const structure = new MarkdownIt({ html: true });
structure.core.ruler.enableOnly(["normalize", "block"]);
structure.block.State = BlockState;
const inline = new MarkdownIt({ html: true });

/** Characters that are parsed at a time, so that the parser's memory does not grow with the document. */
const slabSize = 256 * 1024;
/** A single block is parsed whole up to this size; a larger one continues as if a new one began. */
const maxSlabSize = 16 * slabSize;
/** Headings are titles: what comes later in an endless one is left out of `title`, not of the text. */
const maxTitleSource = 1000;

/** CommonMark with GFM tables and YAML or TOML front matter. The text stays as it is. */
export function parseMarkdown(text: string): ParsedText {
  const blocks: Block[] = [];
  const frontmatter = matchFrontmatter(text);
  if (frontmatter > 0) blocks.push({ kind: "frontmatter", start: 0, end: frontmatter });
  let size = slabSize;
  for (let at = frontmatter; at < text.length; ) {
    const end = at + size < text.length ? nextLineStart(text, at + size, text.length) : text.length;
    const slab = parseSlab(text, at, end);
    let next = end;
    if (end < text.length && slab.length > 0 && size < maxSlabSize) {
      // The last block may go on behind the slab, so the next slab starts with it; all before it is final.
      next = slab.pop()?.start ?? end;
      if (slab.length === 0) {
        size *= 2;
        continue;
      }
    }
    for (const block of slab) blocks.push(block);
    at = next;
    size = slabSize;
  }
  return { text, blocks: withGaps(text, frontmatter, blocks), skippedCharacters: 0 };
}

/** Where front matter ends, 0 without it. It needs a first line that looks like a key, or a thematic break would do. */
function matchFrontmatter(text: string): number {
  const match = /^(---|\+\+\+)[ \t]*\r?\n[^\n:=\]]*[:=\]][^\n]*\n(?:[^\n]*\n)*?\1[ \t]*(?=\r?\n|$)/.exec(
    text.slice(0, 65_536),
  );
  return match?.[0].length ?? 0;
}

function parseSlab(text: string, from: number, to: number): Block[] {
  const tokens = structure.parse(text.slice(from, to), {});
  const lineStarts = [from];
  for (let at = from; at < to; ) {
    at = nextLineStart(text, at, to);
    lineStarts.push(at);
  }
  const offset = (line: number | undefined) => lineStarts[line ?? 0] ?? to;
  const blocks: Block[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    if (token.level !== 0 || token.map === null || token.nesting < 0) continue;
    const start = offset(token.map[0]);
    const end = start + text.slice(start, offset(token.map[1])).trimEnd().length;
    if (end > start) blocks.push({ ...describe(tokens, i, offset), start, end });
  }
  return blocks;
}

function describe(
  tokens: Token[],
  i: number,
  offset: (line: number | undefined) => number,
): Omit<Block, "start" | "end"> {
  const token = tokens[i] as Token;
  switch (token.type) {
    case "heading_open":
      return { kind: "heading", depth: Number(token.tag.slice(1)), title: plainTitle(tokens[i + 1]?.content ?? "") };
    case "bullet_list_open":
    case "ordered_list_open":
      return { kind: "list", breaks: breaksAt(startsWithin(tokens, i, "list_item_open").map(offset)) };
    case "table_open":
      return { kind: "table", headerEnd: offset((token.map?.[0] ?? 0) + 2) };
    case "fence": {
      const language = /^[^\s{,]+/.exec(token.info.trim())?.[0].toLowerCase();
      return { kind: "code", ...(language !== undefined && { language }) };
    }
    case "code_block":
      return { kind: "code" };
    case "html_block":
      return { kind: "html" };
    case "hr":
      return { kind: "thematic" };
    default:
      return { kind: "paragraph" };
  }
}

/** Breaks before all but the first of the pieces that start at these offsets. */
function breaksAt(starts: readonly number[]): BlockBreak[] {
  return starts.slice(1).map((at) => ({ at, level: 0 }));
}

/** The first lines of the children of one type of the token at `i`. */
function startsWithin(tokens: Token[], i: number, type: string): number[] {
  const lines: number[] = [];
  const level = tokens[i]?.level ?? 0;
  for (let j = i + 1; j < tokens.length && (tokens[j]?.level ?? 0) > level; j++) {
    const token = tokens[j] as Token;
    if (token.type === type && token.level === level + 1 && token.map !== null) lines.push(token.map[0]);
  }
  return lines;
}

/** Text in which no inline rule finds anything. */
const withoutMarkup = /^[^\\`*_~[\]!<>&\r\n]*$/;

/** A heading's words without emphasis, links and code marks. */
function plainTitle(heading: string): string {
  const source = heading.slice(0, maxTitleSource);
  return (withoutMarkup.test(source) ? source : inlineText(source)).replace(/\s+/g, " ").trim();
}

function inlineText(source: string): string {
  const tokens = inline.parseInline(source, {})[0]?.children ?? [];
  const words = tokens.map((token) =>
    token.type.endsWith("break") ? " " : token.type === "html_inline" ? "" : token.content,
  );
  return words.join("");
}

/** Adds paragraphs for text that no block covers, such as link definitions. */
function withGaps(text: string, from: number, blocks: readonly Block[]): Block[] {
  const all: Block[] = [];
  let at = blocks[0]?.kind === "frontmatter" ? 0 : from;
  for (const block of blocks) {
    for (const gap of paragraphs(text, at, block.start)) all.push(gap);
    all.push(block);
    at = block.end;
  }
  for (const gap of paragraphs(text, at, text.length)) all.push(gap);
  return all;
}
