export type BlockKind = "heading" | "paragraph" | "list" | "table" | "code" | "html" | "frontmatter" | "thematic";

/** A piece of a document's structure: the span `text.slice(start, end)`. Blocks of a document are in order and disjoint. */
export interface Block {
  readonly kind: BlockKind;
  readonly start: number;
  readonly end: number;
  /** Level of a heading, 1 to 6. */
  readonly depth?: number;
  /** Words of a heading without its markup. */
  readonly title?: string;
  /** Where each item of a list starts. */
  readonly itemStarts?: readonly number[];
  /** Where the header of a table ends. */
  readonly headerEnd?: number;
}

/** What a format's reader makes of a file. */
export interface ParsedText {
  /** The text that offsets refer to. */
  readonly text: string;
  /** Cover every character of `text` that is not white space. */
  readonly blocks: readonly Block[];
  /** Characters of the file that no one reads and `text` leaves out, such as scripts and styles in HTML. */
  readonly skippedCharacters: number;
}
