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
  #open: (Container & { start: number; breaks: BlockBreak[]; headerEnd: number }) | undefined;
  /** White space and markers that are due before the next word. */
  #pending = "";
  /** How deep the item or row is that the next word begins; undefined where it begins none. */
  #breakDue: number | undefined;
  #tables = 0;
  /** Cells so far in the row being written. */
  #cells = 0;
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
      if (!isHidden(node)) return this.#enterElement(node);
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
    const titled = blocks.map((block) =>
      block.kind === "heading" ? { ...block, title: text.slice(block.start, block.end) } : block,
    );
    return { text, blocks: titled, skippedCharacters: this.#skipped, sourceSpans: this.#trace.spans() };
  }

  #enterElement(element: Element): (() => void) | undefined {
    const tag = element.tagName;
    // What a picture shows is said beside the text, not in it.
    if (tag === "img") this.#skipped += element.attrs.find(({ name }) => name === "alt")?.value.length ?? 0;
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

  #addText(node: TextNode): void {
    const isCode = this.#containers.at(-1)?.kind === "code";
    if (isCode && node.value === "") return;
    const separator = isCode ? /(?<=\n)/ : /[ \t\n\f\r]+/;
    const { startOffset, endOffset } = node.sourceCodeLocation ?? { startOffset: 0, endOffset: 0 };
    const raw = this.#source.slice(startOffset, endOffset);
    const words = node.value.split(separator);
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
      open = this.#open = { ...container, start: this.#length, breaks: [], headerEnd: 0 };
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
    const { kind, depth, start, breaks, headerEnd } = this.#open;
    this.#open = undefined;
    this.#blocks.push({
      kind,
      start,
      end: this.#length,
      ...(kind === "heading" && { depth }),
      ...((kind === "list" || kind === "table") && { breaks }),
      ...(headerEnd > 0 && { headerEnd }),
    });
  }
}
