import { createRequire } from "node:module";
import { Language, type Node, Parser } from "web-tree-sitter";
import type { Block, BlockBreak, BlockKind } from "../block.js";
import type { ParsedText } from "../source-document.js";
import type { ParseText } from "./format-reader.js";
import { findRstTables } from "./rst-tables.js";
import { paragraphs } from "./text-blocks.js";

const require = createRequire(import.meta.url);
const kinds: Readonly<Record<string, BlockKind>> = {
  bullet_list: "list",
  enumerated_list: "list",
  definition_list: "list",
  field_list: "list",
  option_list: "list",
  literal_block: "code",
  doctest_block: "code",
  transition: "thematic",
};
const directives: Readonly<Record<string, BlockKind>> = {
  code: "code",
  "code-block": "code",
  sourcecode: "code",
  math: "formula",
  table: "table",
  "csv-table": "table",
  "list-table": "table",
};

/** What reads reStructuredText by its tree-sitter grammar. The text stays as it is. */
export async function rstParser(): Promise<ParseText> {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(require.resolve("tree-sitter-rst/tree-sitter-rst.wasm")));
  return (text) => new RstText(text, parser).parse();
}

class RstText {
  readonly #text: string;
  readonly #parser: Parser;
  readonly #blocks: Block[] = [];
  /** Underlines and overlines in the order in which they first come, which is that of their levels. */
  readonly #adornments: string[] = [];

  constructor(text: string, parser: Parser) {
    this.#text = text;
    this.#parser = parser;
  }

  parse(): ParsedText {
    const text = this.#text;
    let at = 0;
    // The grammar knows no tables, so that what is between them is read piece by piece.
    for (const table of findRstTables(text)) {
      this.#parsePart(at, table.start);
      this.#blocks.push(table);
      at = table.end;
    }
    this.#parsePart(at, text.length);
    return { text, blocks: this.#withGaps(), skippedCharacters: 0 };
  }

  #parsePart(from: number, to: number): void {
    const tree = this.#parser.parse(this.#text.slice(from, to));
    if (tree === null) return;
    for (const node of tree.rootNode.namedChildren) if (node !== null) this.#addNode(node, from);
    tree.delete();
  }

  #addNode(node: Node, from: number): void {
    const start = from + node.startIndex;
    const end = start + this.#text.slice(start, from + node.endIndex).trimEnd().length;
    if (end <= start) return;
    if (node.type === "section") {
      this.#blocks.push({ ...this.#describeTitle(node, this.#text.slice(start, end)), start, end });
      return;
    }
    const literal =
      node.type === "paragraph" ? node.namedChildren.find((child) => child?.type === "literal_block") : null;
    if (literal) {
      const code = from + literal.startIndex;
      for (const paragraph of paragraphs(this.#text, start, code)) this.#blocks.push(paragraph);
      for (const block of paragraphs(this.#text, code, end)) this.#push("code", block.start, block.end);
      return;
    }
    const directive = node.type === "directive" ? node.childForFieldName("name")?.text : undefined;
    const kind = directives[directive ?? ""] ?? kinds[node.type] ?? "paragraph";
    const breaks =
      kind === "list" ? itemBreaks(node, from, 0).filter((item) => item.at > start && item.at < end) : undefined;
    this.#blocks.push({ kind, start, end, ...(breaks && { breaks }) });
  }

  /** Adds a block, or makes the one before longer where both are of one piece of code. */
  #push(kind: BlockKind, start: number, end: number): void {
    const last = this.#blocks.at(-1);
    if (last?.kind === kind && this.#text.slice(last.end, start).trim() === "") {
      this.#blocks[this.#blocks.length - 1] = { ...last, end };
    } else this.#blocks.push({ kind, start, end });
  }

  #describeTitle(node: Node, source: string): Omit<Block, "start" | "end"> {
    const title =
      node.namedChildren
        .find((child) => child?.type === "title")
        ?.text.replace(/\s+/g, " ")
        .trim() ?? "";
    const lines = source.split(/\r?\n/);
    const underline = lines.at(-1)?.[0] ?? "";
    const adornment = lines.length > 2 ? `over${underline}` : underline;
    if (!this.#adornments.includes(adornment)) this.#adornments.push(adornment);
    return { kind: "heading", depth: Math.min(6, this.#adornments.indexOf(adornment) + 1), title };
  }

  /** Adds paragraphs for what the grammar gives no node. */
  #withGaps(): Block[] {
    const all: Block[] = [];
    let at = 0;
    for (const block of this.#blocks) {
      if (block.start < at) continue;
      for (const gap of paragraphs(this.#text, at, block.start)) all.push(gap);
      all.push(block);
      at = block.end;
    }
    for (const gap of paragraphs(this.#text, at, this.#text.length)) all.push(gap);
    return all;
  }
}

/** Where the items of a list and of the lists in them start. */
function itemBreaks(list: Node, from: number, level: number): BlockBreak[] {
  const breaks: BlockBreak[] = [];
  const work: { node: Node; level: number }[] = [{ node: list, level }];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    for (const child of next.node.namedChildren) {
      if (child === null) continue;
      const isItem = child.type === "list_item" || child.type === "field";
      if (isItem) breaks.push({ at: from + child.startIndex, level: next.level });
      work.push({ node: child, level: isItem ? next.level + 1 : next.level });
    }
  }
  return breaks.sort((a, b) => a.at - b.at);
}
