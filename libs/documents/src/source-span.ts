/**
 * Why bytes of a file are not in the text: `blank` white space between words, `markup` syntax of the format, `frontmatter`
 * metadata that no one reads, `binary` the bytes of a container (its text is accounted for in characters), `skipped` left
 * out by rule, such as scripts, comments and attachments.
 */
export type OmittedReason = "blank" | "markup" | "frontmatter" | "binary" | "skipped";

/**
 * A part of a file and what became of it. The spans of a file are in order and tile it: the first starts at 0, each starts
 * where the one before ends, and the last ends with the file. None is empty.
 */
export type SourceSpan = TextSourceSpan | OmittedSourceSpan;

/** Bytes that became `text.slice(textStart, textEnd)`. */
export interface TextSourceSpan {
  readonly kind: "text";
  /** In bytes of the file. */
  readonly start: number;
  readonly end: number;
  /** In UTF-16 code units of the document's text. The order of the text may be another than that of the file. */
  readonly textStart: number;
  readonly textEnd: number;
  /** Whether the bytes are this text in the file's encoding, letter by letter; else only the span as a whole is known. */
  readonly verbatim: boolean;
  /** The line that it starts in, from 1. @default none for formats whose bytes are no text */
  readonly line?: number;
}

/** Bytes that the text leaves out. */
export interface OmittedSourceSpan {
  readonly kind: OmittedReason;
  /** In bytes of the file. */
  readonly start: number;
  readonly end: number;
  /** The line that it starts in, from 1. @default none for formats whose bytes are no text */
  readonly line?: number;
}
