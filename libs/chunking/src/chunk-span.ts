import type { Block } from "@ragline/documents";
import type { Section } from "./section.js";

/** A chunk before its metadata. */
export interface ChunkSpan {
  /** Context, overlap, core and what closes it. */
  readonly text: string;
  /** Of the text, special ones and prefix included, as the model counts them. */
  readonly tokens: number;
  /** The core in the document's text. */
  readonly start: number;
  readonly end: number;
  /** Where the core begins in the chunk's text. */
  readonly coreOffset: number;
  readonly overlapTokens: number;
  /** The innermost section that holds the whole core, without headings at its start that only lead to what follows. */
  readonly section: Section;
  /** Those that parts of the core are in, the innermost of each. */
  readonly sections: readonly Section[];
  /** In order; the first and the last may be there in part only. */
  readonly blocks: readonly Block[];
  /** Whether the core begins and ends where blocks, sentences, rows or lines do. */
  readonly startsWhole: boolean;
  readonly endsWhole: boolean;
}
