import { readLines } from "@ragline/artifacts";

/** A line of a text file, without its end. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a UTF-8 text file; a byte order mark and carriage returns at the end of lines are left out.
 * @throws ArtifactError when the file cannot be read.
 */
export async function* textLines(path: string): AsyncGenerator<TextLine, void, undefined> {
  for await (const { number, bytes } of readLines(path)) {
    const text = bytes.toString();
    yield { number: number + 1, text: (number === 0 ? text.replace(/^\uFEFF/u, "") : text).replace(/\r$/u, "") };
  }
}

/** The fields of a line between runs of white space. */
export function fieldsOf(text: string): string[] {
  const trimmed = text.trim();
  return trimmed === "" ? [] : trimmed.split(/\s+/u);
}
