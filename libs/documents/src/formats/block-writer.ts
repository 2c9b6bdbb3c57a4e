import type { Block, BlockBreak, SourceReference } from "../block.js";
import type { ParsedText } from "../source-document.js";

/** What a block is besides its span; breaks count from its start. */
export type BlockDescription = Omit<Block, "start" | "end">;

const separator = "\n\n";
/** Half of a surrogate pair is no text and has no bytes in any encoding. */
export const loneSurrogates = /\p{Surrogate}/gu;

/** Writes the text of a document block by block, with a blank line between. */
export class BlockWriter {
  readonly #parts: string[] = [];
  readonly #blocks: Block[] = [];
  #length = 0;

  /** Where the next block will start. */
  get nextStart(): number {
    return this.#length === 0 ? 0 : this.#length + separator.length;
  }

  /** Length of the text so far. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a block without the white space around it; nothing where there is only that. Headings get their title.
   * @returns where the content's first letter stands or would, were it not left out; undefined when nothing was added
   */
  add(content: string, description: BlockDescription): number | undefined {
    const text = content
      .replace(loneSurrogates, "\ufffd")
      .trimEnd()
      .replace(/^(?:[^\S\n]*\n)+/, "");
    if (text.trim() === "") return undefined;
    const start = this.nextStart;
    const removed = content.trimEnd().length - text.length;
    this.#write(text);
    const { breaks, headerEnd, ...rest } = description;
    const title = rest.kind === "heading" ? text.replace(/\s+/g, " ") : undefined;
    const shifted = breaks?.map(({ at, level }) => ({ at: at - removed + start, level }));
    this.#blocks.push({
      ...rest,
      start,
      end: this.#length,
      ...(title !== undefined && { title }),
      ...(shifted !== undefined && { breaks: shifted.filter(({ at }) => at > start && at < this.#length) }),
      ...(headerEnd !== undefined && { headerEnd: headerEnd - removed + start }),
    });
    return start - removed;
  }

  /** Adds the blocks of a part that another reader has read, such as a page of HTML in a book. */
  addParsed({ text, blocks }: ParsedText, source?: SourceReference): void {
    if (blocks.length === 0) return;
    const shift = this.nextStart;
    this.#write(text);
    for (const block of blocks) {
      this.#blocks.push({
        ...block,
        start: block.start + shift,
        end: block.end + shift,
        ...(block.breaks && { breaks: block.breaks.map(({ at, level }) => ({ at: at + shift, level })) }),
        ...(block.headerEnd !== undefined && { headerEnd: block.headerEnd + shift }),
        ...(source && { source }),
      });
    }
  }

  /** Adds a table: a line for each row, with bars between its cells; the first row is its header where there are more. */
  addTable(rows: readonly (readonly string[])[], source?: SourceReference): void {
    const lines = rows.map((cells) => cells.map(oneLine).join(" | ").trimStart());
    const breaks: BlockBreak[] = [];
    let at = 0;
    for (const line of lines) {
      if (at > 0) breaks.push({ at, level: 0 });
      at += line.length + 1;
    }
    const header = rows.length > 1 ? { headerEnd: (lines[0]?.length ?? 0) + 1 } : {};
    this.add(lines.join("\n"), { kind: "table", breaks, ...header, ...(source && { source }) });
  }

  /** Ends a page with a form feed, unless nothing stands on it. */
  addPageBreak(source?: SourceReference): void {
    const last = this.#blocks.at(-1);
    if (last === undefined || last.kind === "pageBreak") return;
    const start = this.nextStart;
    this.#write("\f");
    this.#blocks.push({ kind: "pageBreak", start, end: this.#length, ...(source && { source }) });
  }

  finish(skippedCharacters = 0): ParsedText {
    return { text: this.#parts.join(""), blocks: this.#blocks, skippedCharacters };
  }

  #write(text: string): void {
    if (this.#length > 0) this.#parts.push(separator);
    this.#parts.push(text);
    this.#length = this.nextStart + text.length;
  }
}

function oneLine(cell: string): string {
  return cell.replace(/\s+/g, " ").trim();
}
