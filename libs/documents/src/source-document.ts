import type { Block } from "./block.js";
import type { SourceSpan } from "./source-span.js";

/** What a document was read as. */
export type DocumentFormat =
  | "markdown"
  | "text"
  | "rst"
  | "html"
  | "pdf"
  | "docx"
  | "pptx"
  | "xlsx"
  | "epub"
  | "email"
  | "notebook"
  | "csv"
  | "json"
  | "jsonl"
  | "yaml"
  | "code";

/** What a format's reader makes of a file. */
export interface ParsedText {
  /** The text that offsets refer to. */
  readonly text: string;
  /** Cover every character of `text` that is not white space. */
  readonly blocks: readonly Block[];
  /** Characters of the file that no one reads and `text` leaves out, such as scripts and styles in HTML. */
  readonly skippedCharacters: number;
  /**
   * What became of the source: for text formats in UTF-16 code units of the decoded source, not yet in bytes.
   * @default the source is the text, letter by letter
   */
  readonly sourceSpans?: readonly SourceSpan[];
}

/** A document that was read: its text, what stands where in it, and what identifies it. */
export interface SourceDocument {
  /** Slashes on every system; never absolute. Identifies the document together with its bytes. */
  readonly relativePath: string;
  /** Lower case with its dot, such as ".md". */
  readonly extension: string;
  readonly format: DocumentFormat;
  /** The WHATWG name of the encoding that the bytes were decoded by; none for formats whose bytes are no text. */
  readonly encoding?: string;
  /**
   * The normalised text that all offsets refer to, decoded and without a byte order mark. For HTML and container formats
   * the visible text, else the file's text as it is.
   */
  readonly text: string;
  /** In order, disjoint; they cover every character of `text` that is not white space. */
  readonly blocks: readonly Block[];
  /** What became of each byte of the file, in order and without gaps. */
  readonly sourceSpans: readonly SourceSpan[];
  /** Characters of the file that `text` leaves out on purpose (scripts, styles, comments in HTML). */
  readonly skippedCharacters: number;
  /** Of the file's bytes, in hex. */
  readonly sha256: string;
  /** Size of the file. */
  readonly bytes: number;
}
