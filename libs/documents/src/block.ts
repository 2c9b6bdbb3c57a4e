/**
 * What a block is. `cell` is what a notebook's cell put out or a raw one, `pageBreak` a form feed that stands where a page
 * ends, `caption` the words under a picture or a table, `html` a piece of HTML in Markdown.
 */
export type BlockKind =
  | "heading"
  | "paragraph"
  | "list"
  | "table"
  | "code"
  | "formula"
  | "caption"
  | "cell"
  | "pageBreak"
  | "html"
  | "frontmatter"
  | "thematic";

/** A good position to cut a block at: an item of a list, a row of a table, a statement of code. */
export interface BlockBreak {
  /** Offset in the document's text, inside the block: what comes next begins here. */
  readonly at: number;
  /** 0 is the best; each level more is one step further inside, such as an item of an inner list. */
  readonly level: number;
}

/** Where in its file a block is, for formats whose bytes are no text. Numbers count from 1. */
export interface SourceReference {
  /** Page of a PDF. */
  readonly page?: number;
  /** Slide of a presentation. */
  readonly slide?: number;
  /** Name of a spreadsheet's sheet. */
  readonly sheet?: string;
  /** Cells of a sheet ("A1:C9"), or the position of a notebook's cell ("3"). */
  readonly cell?: string;
  /** File within a container ("OEBPS/chapter1.xhtml"), or part of a message. */
  readonly path?: string;
}

/**
 * A piece of a document's structure: the span `text.slice(start, end)`, which is never empty. Blocks of a document are in
 * order and disjoint.
 */
export interface Block {
  readonly kind: BlockKind;
  readonly start: number;
  readonly end: number;
  /** Level of a heading, 1 to 6. */
  readonly depth?: number;
  /** Words of a heading without its markup. */
  readonly title?: string;
  /** Where it may be cut, in order and strictly inside the block; without any, at its lines or sentences. */
  readonly breaks?: readonly BlockBreak[];
  /** Where the header of a table ends. */
  readonly headerEnd?: number;
  /** Name of a piece of code's language in lower case, where it is known. */
  readonly language?: string;
  /** Where a text format has bytes, `SourceLocator` finds them for any span; other formats say here where a block is. */
  readonly source?: SourceReference;
}
