import type { DocumentFormat, ParsedText } from "../source-document.js";

/** Parses the decoded text of a file. */
export type ParseText = (source: string) => ParsedText | Promise<ParsedText>;
/** Parses the bytes of a file whose format is no text. */
export type ParseBytes = (bytes: Uint8Array) => Promise<ParsedText>;

/** How files of one format are read. */
export interface FormatReader {
  readonly format: DocumentFormat;
  /** With their dots, in lower case. */
  readonly extensions: readonly string[];
  /**
   * Whether it is parsed in a process of its own, whose time and memory are limited. Only what takes time and memory in
   * proportion to the file on any input goes without.
   */
  readonly isIsolated: boolean;
  /** Loads the parser, when its first file comes. */
  readonly load: () => Promise<{ readonly text: ParseText } | { readonly bytes: ParseBytes }>;
}
