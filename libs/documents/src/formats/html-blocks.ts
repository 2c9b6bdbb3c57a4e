import { parse } from "parse5";
import type { Block, BlockBreak, BlockKind } from "../block.js";
import type { ParsedText } from "../source-document.js";
import {
  childElements,
  type Element,
  isHidden,
  type Node,
  type TextNode,
  textNodes,
  textOf,
  walk,
} from "./html-tree.js";
import { isDisplayed, mathmlToLatex } from "./mathml.js";
import { isPictureDescription } from "./picture-description.js";
import { SourceTrace } from "./source-trace.js";

/** Elements that stand in a line of text; every other element starts and ends its own line. */
const inline = new Set(
  `a abbr acronym b bdi bdo big button cite code data del dfn em font i img input ins kbd label mark meter nobr output
  progress q rp rt ruby s samp select small span strike strong sub sup time tt u var wbr`.split(/\s+/),
);
const maxIndentedLevels = 16;

/** How a page is read. */
export interface HtmlOptions {
  /** Whether the page's title heads the text when it has no `h1`. @default true */
  titleIsHeading?: boolean;
  /** Whether a table's first row is its header even where nothing says so. @default false */
  firstRowIsHeader?: boolean;
}

/**
 * HTML as its visible text, in blocks with a blank line between: headings, paragraphs, lists with a marker before each
 * item, tables with a line for each row, code as it stands. White space collapses as a browser shows it. Offsets refer
 * to this text.
 */
export function parseHtml(source: string, options: HtmlOptions = {}): ParsedText {
  const document = parse(source, { sourceCodeLocationInfo: true });
  const page = new VisibleText(source, options.firstRowIsHeader === true);
  let title: Element | undefined;
  let hasH1 = false;
  walk(document, (node) => {
    if (node.nodeName === "title") title ??= node as Element;
    hasH1 ||= node.nodeName === "h1";
    return undefined;
  });
  if (title !== undefined && !hasH1 && options.titleIsHeading !== false) page.addTitle(title);
  walk(document, (node) => page.enter(node));
  return page.finish();
}

interface Container {
  readonly kind: BlockKind;
  /** Level of a heading, else 0. */
  readonly depth: number;
}

interface OpenBlock extends Container {
  readonly start: number;
  readonly breaks: BlockBreak[];
  headerEnd: number;
  /** Whether there is more in it than what pictures are said to show. */
  hasWords: boolean;
}

class VisibleText {
  readonly #source: string;
  readonly #firstRowIsHeader: boolean;
  readonly #trace: SourceTrace;
  readonly #parts: string[] = [];
  readonly #blocks: Block[] = [];
  #length = 0;
  #skipped = 0;
  /** What text stands in, innermost last; without any it makes paragraphs. */
  readonly #containers: Container[] = [];
  /** The block being written; it begins with its first word. */
  #open: OpenBlock | undefined;
  /** White space and markers that are due before the next word. */
  #pending = "";
  /** How deep the item or row is that the next word begins; undefined where it begins none. */
  #breakDue: number | undefined;
  #tables = 0;
  /** Cells so far in the row being written. */
  #cells = 0;
  /** Captions of the figures that it is in, innermost last. */
  readonly #captions: string[] = [];
  readonly #lists: { readonly ordered: boolean; items: number }[] = [];

  constructor(source: string, firstRowIsHeader: boolean) {
    this.#source = source;
    this.#firstRowIsHeader = firstRowIsHeader;
    this.#trace = new SourceTrace(source);
  }

  addTitle(title: Element): void {
    const leave = this.#within("heading", 1);
    for (const node of textNodes(title)) this.#addText(node);
    leave();
    // It was counted among what the head hides, and is not hidden now.
    this.#skipped -= textOf(title).length;
  }

  /** Takes a node in; returns what to do behind its children, or "skip" to leave them out. */
  enter(node: Node): (() => void) | "skip" | undefined {
    if (node.nodeName === "#text" && "value" in node) this.#addText(node);
    else if (node.nodeName === "#comment" && "data" in node) {
      this.#skipped += node.data.length;
      this.#skip(node);
    } else if ("tagName" in node) {
      if (node.tagName === "math" && !isHidden(node) && this.#addFormula(node)) return "skip";
      if (node.tagName !== "math" && !isHidden(node)) return this.#enterElement(node);
      this.#skipped += textOf(node).length;
      walk(node, (inner) => (this.#skip(inner) ? "skip" : undefined));
      return "skip";
    }
    return undefined;
  }

  /** Whether the node has a place in the source; one that the parser made has not. */
  #skip(node: Node): boolean {
    const location = "sourceCodeLocation" in node ? node.sourceCodeLocation : undefined;
    if (location) this.#trace.addSkipped(location.startOffset, location.endOffset);
    return Boolean(location);
  }

  finish(): ParsedText {
    this.#close();
    const text = this.#parts.join("");
    const blocks = this.#blocks.filter(({ start, end }) => text.slice(start, end).trim() !== "");
    const titled = blocks.map((block): Block => {
      const content = text.slice(block.start, block.end);
      if (block.kind === "heading") return { ...block, title: content };
      return block.kind === "paragraph" && /^\$\$[^$]+\$\$$/.test(content) ? { ...block, kind: "formula" } : block;
    });
    return { text, blocks: titled, skippedCharacters: this.#skipped, sourceSpans: this.#trace.spans() };
  }

  #enterElement(element: Element): (() => void) | undefined {
    const tag = element.tagName;
    if (tag === "img") this.#addPicture(element);
    if (inline.has(tag)) return undefined;
    switch (tag) {
      case "h1":
      case "h2":
      case "h3":
      case "h4":
      case "h5":
      case "h6":
        return this.#within("heading", Number(tag[1]));
      case "pre":
      case "textarea":
      case "listing":
        return this.#within("code");
      case "caption":
      case "figcaption":
        return this.#within("caption");
      case "figure":
        return this.#enterFigure(element);
      case "table":
        return this.#enterTable();
      case "ul":
      case "ol":
      case "menu":
      case "dl":
        return this.#enterList(tag === "ol");
      case "li":
      case "dt":
        this.#startItem();
        return undefined;
      case "tr":
        return this.#enterRow(element);
      case "td":
      case "th":
        if (this.#cells++ > 0) this.#pending = `${this.#pending || " "}| `;
        return undefined;
      case "br":
        this.#newLine();
        return undefined;
      default:
        return this.#enterBox();
    }
  }

  /** A paragraph, a division and the like: a block of its own, but only a line in a list and a word break in a cell. */
  #enterBox(): () => void {
    const boundary = () => {
      const kind = this.#containers.at(-1)?.kind;
      if (kind === undefined) this.#close();
      else if (kind === "list" || kind === "code") this.#newLine();
      else this.#pending ||= " ";
    };
    boundary();
    return boundary;
  }

  #within(kind: BlockKind, depth = 0): () => void {
    this.#close();
    this.#containers.push({ kind, depth });
    return () => {
      this.#close();
      this.#containers.pop();
    };
  }

  #enterTable(): () => void {
    const leave = this.#containers.length === 0 ? this.#within("table") : this.#enterBox();
    this.#tables++;
    return () => {
      this.#tables--;
      leave();
    };
  }

  #enterList(ordered: boolean): () => void {
    const leave = this.#containers.length === 0 ? this.#within("list") : this.#enterBox();
    this.#lists.push({ ordered, items: 0 });
    return () => {
      this.#lists.pop();
      leave();
    };
  }

  #startItem(): void {
    const list = this.#lists.at(-1) ?? { ordered: false, items: 0 };
    list.items++;
    const indent = "  ".repeat(Math.min(Math.max(this.#lists.length - 1, 0), maxIndentedLevels));
    this.#pending = `\n${indent}${list.ordered ? `${list.items}.` : "-"} `;
    this.#breakDue ??= Math.max(this.#lists.length - 1, 0);
  }

  #enterRow(row: Element): () => void {
    this.#newLine();
    if (this.#containers.at(-1)?.kind === "table" && this.#tables === 1) this.#breakDue = 0;
    const cellsOutside = this.#cells;
    this.#cells = 0;
    return () => {
      this.#cells = cellsOutside;
      const cells = childElements(row);
      const isHeader = this.#firstRowIsHeader || (cells.length > 0 && cells.every(({ tagName }) => tagName === "th"));
      if (isHeader && this.#open?.kind === "table" && this.#open.headerEnd === 0) this.#open.headerEnd = this.#length;
    };
  }

  /** A line break is due, unless one is already, perhaps with the marker of an item behind it. */
  #newLine(): void {
    if (!this.#pending.startsWith("\n") || this.#pending.includes("|")) this.#pending = "\n";
  }

  #enterFigure(figure: Element): () => void {
    const captions = childElements(figure).filter(({ tagName }) => tagName === "figcaption");
    this.#captions.push(comparable(captions.map(textOf).join(" ")));
    const leave = this.#enterBox();
    return () => {
      this.#captions.pop();
      leave();
    };
  }

  /** What a picture is said to show stands in its place, unless the caption under it says the same. */
  #addPicture(picture: Element): void {
    const alt = picture.attrs.find(({ name }) => name === "alt")?.value ?? "";
    if (!isPictureDescription(alt) || comparable(alt) === this.#captions.at(-1)) {
      this.#skipped += alt.length;
      return;
    }
    const { startOffset = 0, endOffset = 0 } = picture.sourceCodeLocation?.attrs?.alt ?? {};
    const [quote = ""] = /^alt\s*=\s*["']?/i.exec(this.#source.slice(startOffset, endOffset)) ?? [];
    const end = /["']$/.test(quote) ? endOffset - 1 : endOffset;
    this.#pending ||= " ";
    this.#addWords(alt, startOffset + quote.length, end);
    this.#pending ||= " ";
  }

  /** Adds a formula as LaTeX, in the line or on lines of its own; returns false where there is none that can be read. */
  #addFormula(math: Element): boolean {
    const latex = mathmlToLatex(math);
    if (latex === "") return false;
    const { startOffset, endOffset } = math.sourceCodeLocation ?? { startOffset: 0, endOffset: 0 };
    const leave = isDisplayed(math) ? this.#enterBox() : undefined;
    const sign = leave ? "$$" : "$";
    if (this.#addWords(`${sign}${latex}${sign}`, startOffset, endOffset) && this.#open) this.#open.hasWords = true;
    leave?.();
    return true;
  }

  #addText(node: TextNode): void {
    const { startOffset, endOffset } = node.sourceCodeLocation ?? { startOffset: 0, endOffset: 0 };
    if (this.#addWords(node.value, startOffset, endOffset) && this.#open) this.#open.hasWords = true;
  }

  /** Adds text that stands, perhaps in other letters, at a place in the source; returns whether any of it is no white space. */
  #addWords(value: string, startOffset: number, endOffset: number): boolean {
    const isCode = this.#containers.at(-1)?.kind === "code";
    if (isCode && value === "") return false;
    const separator = isCode ? /(?<=\n)/ : /[ \t\n\f\r]+/;
    const raw = this.#source.slice(startOffset, endOffset);
    const words = value.split(separator);
    const rawWords = raw.split(separator);
    // Character references are shorter in the text. Where they make white space, only the node as a whole is known.
    const isTraced = rawWords.length === words.length;
    let firstStart = -1;
    let at = 0;
    for (const [i, word] of words.entries()) {
      if (i > 0 && !isCode) this.#pending ||= " ";
      if (word === "") continue;
      const between = this.#write(word);
      const textStart = this.#length - word.length;
      if (firstStart < 0) firstStart = textStart;
      const rawWord = rawWords[i] ?? "";
      if (!isTraced || rawWord === "") continue;
      const from = raw.indexOf(rawWord, at);
      at = from + rawWord.length;
      this.#trace.addWord(startOffset + from, startOffset + at, textStart, word, between);
    }
    if (!isTraced && firstStart >= 0) this.#trace.addText(startOffset, endOffset, firstStart, this.#length);
    return firstStart >= 0;
  }

  /** Writes a word behind the white space and markers that are due; returns these. */
  #write(word: string): string {
    const before = this.#length;
    let pending = this.#pending;
    let open = this.#open;
    if (open === undefined) {
      if (this.#length > 0) this.#push("\n\n");
      pending = pending.trimStart();
      const container = this.#containers.at(-1) ?? { kind: "paragraph", depth: 0 };
      open = this.#open = { ...container, start: this.#length, breaks: [], headerEnd: 0, hasWords: false };
    }
    const between = (this.#length > before ? "\n\n" : "") + pending;
    const itemStart = this.#length + (pending.startsWith("\n") ? 1 : 0);
    if (this.#breakDue !== undefined && itemStart > open.start) {
      open.breaks.push({ at: itemStart, level: this.#breakDue });
    }
    this.#push(pending + word);
    this.#pending = "";
    this.#breakDue = undefined;
    return between;
  }

  #push(part: string): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  #close(): void {
    this.#pending = "";
    this.#breakDue = undefined;
    if (this.#open === undefined) return;
    const { kind, depth, start, breaks, headerEnd, hasWords } = this.#open;
    this.#open = undefined;
    this.#blocks.push({
      kind: kind === "paragraph" && !hasWords ? "caption" : kind,
      start,
      end: this.#length,
      ...(kind === "heading" && { depth }),
      ...((kind === "list" || kind === "table") && { breaks }),
      ...(headerEnd > 0 && { headerEnd }),
    });
  }
}

/** Words as they compare, whatever the letters' case and the white space between. */
function comparable(words: string): string {
  return words.replace(/\s+/g, " ").trim().toLowerCase();
}
