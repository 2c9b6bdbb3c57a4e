/** A filter that cannot be read; the message says why and what can be written. */
export class FilterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FilterError";
  }
}

/** How a field is compared. */
export type FilterOperator = "=" | "!=" | ">=" | "<=" | ">" | "<" | "~";

/** One condition on the payload of a chunk. */
export interface Filter {
  /** Name of the field; a field inside another one with a dot: "content_flags.has_code". */
  readonly key: string;
  readonly operator: FilterOperator;
  /** One of them has to fit; one alone for the operators of order. */
  readonly values: readonly string[];
}

/** The longest operators first, since one may begin another. */
const operators: readonly FilterOperator[] = ["!=", ">=", "<=", "=", ">", "<", "~"];

/**
 * Reads a condition: `key=value`, `key=one|other` (either), `key!=value` (neither; also where there is no such field),
 * `key>=1`, `key>1`, `key<=1`, `key<1` (numbers, or texts in the order of their characters) and `key~part` (holds the part,
 * whatever the case). A field that is a list fits when one of its values does.
 * @throws FilterError when there is no operator, field or value.
 */
export function parseFilter(text: string): Filter {
  const at = /[!<>=~]/u.exec(text)?.index ?? -1;
  const operator = at < 0 ? undefined : operators.find((one) => text.startsWith(one, at));
  const key = text.slice(0, Math.max(0, at)).trim();
  if (operator === undefined || key === "") {
    throw new FilterError(
      `"${text}" is no filter; write key=value, key=one|other, key!=value, key>=number, key<number or key~part`,
    );
  }
  const value = text.slice(at + operator.length).trim();
  const isOrder = operator.includes(">") || operator.includes("<");
  const values = isOrder ? [value] : value.split("|").map((part) => part.trim());
  if (values.some((part) => part === "") && (isOrder || operator === "~" || values.length > 1))
    throw new FilterError(`"${text}" has no value behind "${operator}"`);
  return { key, operator, values };
}

/** Whether a value of a field fits a filter; of "!=" whether it is one of the excluded. */
export function fits({ operator, values }: Filter, value: string | number | boolean): boolean {
  switch (operator) {
    case "=":
    case "!=":
      return values.some((wanted) => equals(value, wanted));
    case "~":
      return values.some((wanted) => String(value).toLowerCase().includes(wanted.toLowerCase()));
    default: {
      const order = compare(value, values[0] ?? "");
      return operator === ">" ? order > 0 : operator === "<" ? order < 0 : operator === ">=" ? order >= 0 : order <= 0;
    }
  }
}

function equals(value: string | number | boolean, wanted: string): boolean {
  return typeof value === "number" ? value === Number(wanted) && wanted !== "" : String(value) === wanted;
}

/** NaN, which fits nothing, where a number meets a word. */
function compare(value: string | number | boolean, wanted: string): number {
  if (typeof value === "number") return value - (wanted === "" ? Number.NaN : Number(wanted));
  return String(value) < wanted ? -1 : String(value) > wanted ? 1 : 0;
}
