import { stripVTControlCharacters } from "node:util";
import { findNodeAtLocation, type Node, type ParseError, parseTree } from "jsonc-parser";
import { DocumentError } from "../document-error.js";
import type { ParsedText } from "../source-document.js";
import { BlockWriter, loneSurrogates } from "./block-writer.js";
import { parseMarkdown } from "./markdown-blocks.js";
import { SourceTrace } from "./source-trace.js";

/**
 * Jupyter notebooks, format 4: Markdown cells as Markdown, code cells as code, and what cells put out as text. Pictures
 * and other data are left out.
 */
export function parseNotebook(json: string): ParsedText {
  const errors: ParseError[] = [];
  const root = parseTree(json, errors);
  const cells = root && findNodeAtLocation(root, ["cells"])?.children;
  if (!root || errors.length > 0 || !cells) {
    throw new DocumentError(
      "unparsable",
      "is no notebook of format 4; check that it is whole, or convert it (jupyter nbconvert)",
    );
  }
  const notebook = new Notebook(json);
  const language =
    stringAt(root, ["metadata", "language_info", "name"]) ?? stringAt(root, ["metadata", "kernelspec", "language"]);
  for (const [i, cell] of cells.entries()) notebook.addCell(cell, i, language?.toLowerCase());
  return notebook.finish();
}

/** A text of the notebook, and the strings of the file that it is made of. */
interface Lines {
  readonly text: string;
  readonly parts: readonly { readonly node: Node; readonly value: string }[];
}

class Notebook {
  readonly #json: string;
  readonly #writer = new BlockWriter();
  readonly #trace: SourceTrace;
  #skipped = 0;

  constructor(json: string) {
    this.#json = json;
    this.#trace = new SourceTrace(json);
  }

  addCell(cell: Node, index: number, language: string | undefined): void {
    const source = { cell: String(index + 1) };
    const lines = linesOf(findNodeAtLocation(cell, ["source"]));
    const type = stringAt(cell, ["cell_type"]);
    const start = this.#writer.nextStart;
    if (type === "markdown") {
      const parsed = parseMarkdown(lines.text.replace(loneSurrogates, "\ufffd"));
      this.#writer.addParsed(parsed, source);
      if (parsed.blocks.length > 0) this.#follow(lines, start, start);
    } else if (type === "code") {
      const shift = this.#writer.add(lines.text, { kind: "code", source, ...(language && { language }) });
      this.#follow(lines, start, shift);
    } else this.#follow(lines, start, this.#writer.add(lines.text, { kind: "cell", source }));
    for (const output of findNodeAtLocation(cell, ["outputs"])?.children ?? []) this.#addOutput(output, source);
  }

  #addOutput(output: Node, source: { readonly cell: string }): void {
    const paths = [["text"], ["data", "text/plain"], ["data", "text/markdown"], ["traceback"]];
    const shown = paths.map((path) => findNodeAtLocation(output, path)).find((node) => node !== undefined);
    const isReport = stringAt(output, ["output_type"]) === "error";
    const lines = linesOf(shown, isReport ? "\n" : "");
    const clean = stripVTControlCharacters(lines.text);
    const start = this.#writer.nextStart;
    const shift = this.#writer.add(clean, { kind: "cell", source });
    if (clean === lines.text) this.#follow(lines, start, shift);
    else if (shown && shift !== undefined) {
      this.#trace.addText(shown.offset, shown.offset + shown.length, start, this.#writer.length);
    }
    for (const { children: [key, value] = [] } of findNodeAtLocation(output, ["data"])?.children ?? []) {
      if (!key || !value || value === shown) continue;
      this.#skipped += value.length;
      this.#trace.addSkipped(key.offset, value.offset + value.length);
    }
  }

  finish(): ParsedText {
    return { ...this.#writer.finish(this.#skipped), sourceSpans: this.#trace.spans() };
  }

  /**
   * Tells which strings of the file the block that was just written at `start` is made of.
   * @param shift Where the first letter of the strings stands or would, were it not left out.
   */
  #follow({ parts }: Lines, start: number, shift: number | undefined): void {
    if (shift === undefined) return;
    let at = shift;
    for (const { node, value } of parts) {
      const end = Math.min(at + value.length, this.#writer.length);
      const [first, last] = [node.offset + 1, node.offset + node.length - 1];
      const raw = this.#json.slice(first, last);
      // Most strings are a line with its break escaped; all before the first escape is as it stands.
      const plain = raw.includes("\\") ? raw.indexOf("\\") : raw.length;
      const plainEnd = Math.min(at + plain, end);
      if (at >= start && plainEnd > at) {
        this.#trace.addWord(first, first + plainEnd - at, at, value.slice(0, plainEnd - at), "");
        if (plain < raw.length) this.#trace.addText(first + plain, last, plainEnd, end);
      } else this.#trace.addText(first, last, Math.max(at, start), end);
      at += value.length;
    }
  }
}

/** A string, or a list of strings that are its lines. */
function linesOf(node: Node | undefined, between = ""): Lines {
  const nodes = node?.type === "array" ? (node.children ?? []) : node ? [node] : [];
  const strings = nodes.filter(({ type }) => type === "string");
  const parts = strings.map((part) => ({ node: part, value: `${String(part.value)}${between}` }));
  return { text: parts.map(({ value }) => value).join(""), parts };
}

function stringAt(node: Node, path: string[]): string | undefined {
  const found = findNodeAtLocation(node, path);
  return found?.type === "string" ? String(found.value) : undefined;
}
