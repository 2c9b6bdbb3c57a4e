import type { DocumentErrorReason } from "../document-error.js";
import type { SourceDocument } from "../source-document.js";

/** What a parser process is asked for; it answers each job before the next comes. */
export interface ParserJob {
  readonly path: string;
  readonly relativePath: string;
  readonly maxBytes: number;
}

/** What a parser process says. */
export type ParserReply =
  | { readonly document: SourceDocument; readonly residentBytes: number }
  | { readonly reason: DocumentErrorReason; readonly message: string; readonly residentBytes: number };
