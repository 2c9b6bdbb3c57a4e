/** One query of a query file. */
export interface Query {
  /** The file's `_id`, or the line number where the file has plain lines. */
  readonly id: string;
  readonly text: string;
}

/** A query file cannot be used; the message says where and why. */
export class QueryFileError extends Error {
  /** Line of the fault, from 1; absent when it is about the whole file. */
  readonly line: number | undefined;

  constructor(filename: string, line: number | undefined, problem: string) {
    super(`${filename}${line === undefined ? "" : `, line ${line}`}: ${problem}`);
    this.name = "QueryFileError";
    this.line = line;
  }
}

/**
 * Reads a query file: BEIR JSON lines (`{"_id", "text"}`) when its name ends in `.jsonl` or its first line that is not
 * blank starts with `{`; otherwise one query a line. Blank lines are ignored.
 * @param text the file's content.
 * @param filename named in errors.
 * @throws QueryFileError for a malformed line, an `_id` that occurs twice, or a file without any query.
 */
export function parseQueries(text: string, filename: string): Query[] {
  const lines = text
    .replace(/^\uFEFF/u, "")
    .split(/\r\n|\n|\r/u)
    .map((line, i) => ({ number: i + 1, content: line.trim() }))
    .filter(({ content }) => content !== "");
  const isJson = /\.jsonl$/iu.test(filename) || lines[0]?.content.startsWith("{") === true;
  const firstLineOf = new Map<string, number>();
  const queries = lines.map(({ number, content }): Query => {
    if (content.includes("\0")) throw new QueryFileError(filename, number, "this is not text; give one query a line.");
    if (!isJson) return { id: String(number), text: content };
    const query = parseBeirLine(content, filename, number);
    const earlier = firstLineOf.get(query.id);
    if (earlier !== undefined) {
      throw new QueryFileError(
        filename,
        number,
        `_id "${query.id}" is already taken by line ${earlier}; ids must differ.`,
      );
    }
    firstLineOf.set(query.id, number);
    return query;
  });
  if (queries.length === 0) {
    throw new QueryFileError(
      filename,
      undefined,
      'holds no query. Write one query a line, or {"_id": "1", "text": "..."} lines.',
    );
  }
  return queries;
}

function parseBeirLine(content: string, filename: string, line: number): Query {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new QueryFileError(filename, line, "is not a valid JSON object.");
  }
  const { _id: id, text } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof id !== "string" || id === "")
    throw new QueryFileError(filename, line, 'needs "_id", a string that is not empty.');
  if (typeof text !== "string" || text.trim() === "") {
    throw new QueryFileError(filename, line, 'needs "text", a string that is not blank.');
  }
  return { id, text: text.trim() };
}
