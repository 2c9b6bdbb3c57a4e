import { type Filter, FilterError, fits } from "./filter.js";

/** A value that can be filtered by. */
export type FieldValue = string | number | boolean;

/** One field of all chunks: its distinct values, and the rows of value v at `starts[v]` up to `starts[v + 1]`. */
export interface FieldColumn {
  readonly key: string;
  readonly values: readonly FieldValue[];
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
}

/** Fields with more distinct values name single chunks rather than groups; they are not kept. */
const maxDistinct = 32_768;
const maxTextLength = 512;
const maxDepth = 4;

/** The fields of all chunks, to filter by. */
export class FieldIndex {
  readonly rowCount: number;
  readonly columns: readonly FieldColumn[];
  /** Fields with too many distinct values to be kept. */
  readonly dropped: readonly string[];

  constructor(rowCount: number, columns: readonly FieldColumn[], dropped: readonly string[]) {
    this.rowCount = rowCount;
    this.columns = columns;
    this.dropped = dropped;
  }

  /**
   * The rows that fit all filters, 1 for each that does.
   * @throws FilterError for a field that no chunk has or that cannot be filtered by.
   */
  select(filters: readonly Filter[]): Uint8Array {
    const allowed = new Uint8Array(this.rowCount).fill(1);
    for (const filter of filters) {
      const column = this.columns.find(({ key }) => key === filter.key);
      if (column === undefined) throw this.#unknown(filter.key);
      const found = new Uint8Array(this.rowCount);
      column.values.forEach((value, v) => {
        if (!fits(filter, value)) return;
        for (let i = column.starts[v] as number; i < (column.starts[v + 1] as number); i++)
          found[column.rows[i] as number] = 1;
      });
      const wanted = filter.operator === "!=" ? 0 : 1;
      for (let row = 0; row < this.rowCount; row++) if (found[row] !== wanted) allowed[row] = 0;
    }
    return allowed;
  }

  #unknown(key: string): FilterError {
    if (this.dropped.includes(key))
      return new FilterError(`"${key}" has more than ${maxDistinct} different values; filter by another field`);
    const known = this.columns.map((column) => column.key).sort();
    return new FilterError(`no chunk has a field "${key}" to filter by; there are ${known.join(", ") || "none"}`);
  }
}

/** Collects the fields of chunks, row after row. */
export class FieldIndexBuilder {
  readonly #columns = new Map<string, Map<FieldValue, number[]>>();
  readonly #dropped = new Set<string>();
  #row = 0;

  /** Adds the next chunk's metadata: texts, numbers and truth values, also those in lists and in objects inside. */
  add(metadata: Readonly<Record<string, unknown>>): void {
    this.#collect("", metadata, 0);
    this.#row++;
  }

  build(): FieldIndex {
    const columns = Array.from(this.#columns, ([key, byValue]): FieldColumn => {
      const starts = new Uint32Array(byValue.size + 1);
      const lists = [...byValue.values()];
      lists.forEach((list, v) => {
        starts[v + 1] = (starts[v] as number) + list.length;
      });
      return { key, values: [...byValue.keys()], starts, rows: Uint32Array.from(lists.flat()) };
    });
    return new FieldIndex(this.#row, columns, [...this.#dropped]);
  }

  #collect(prefix: string, object: Readonly<Record<string, unknown>>, depth: number): void {
    for (const [name, value] of Object.entries(object)) {
      const key = prefix === "" ? name : `${prefix}.${name}`;
      if (Array.isArray(value)) for (const element of value) this.#add(key, element);
      else if (typeof value === "object" && value !== null) {
        if (depth < maxDepth) this.#collect(key, value as Record<string, unknown>, depth + 1);
      } else this.#add(key, value);
    }
  }

  #add(key: string, value: unknown): void {
    const isField = typeof value === "number" || typeof value === "boolean" || typeof value === "string";
    if (!isField || this.#dropped.has(key) || (typeof value === "string" && value.length > maxTextLength)) return;
    let byValue = this.#columns.get(key);
    if (byValue === undefined) this.#columns.set(key, (byValue = new Map()));
    let rows = byValue.get(value);
    if (rows === undefined) byValue.set(value, (rows = []));
    // A list may hold a value twice.
    if (rows.at(-1) !== this.#row) rows.push(this.#row);
    if (byValue.size <= maxDistinct) return;
    this.#columns.delete(key);
    this.#dropped.add(key);
  }
}
