import { getManyValues, isMany, none } from "stream-chain/core";
import { jsonParser, type Token } from "stream-json/parser.js";

/** JSON text that is not what it should be; the message continues "<file> ". */
export class JsonListError extends Error {}

type Container = { readonly value: unknown[] | Record<string, unknown>; key: string };

const maxDepth = 200;

/** Puts the tokens of one JSON value together. `done` holds the value as soon as its last token has come. */
class ValueBuilder {
  done: { value: unknown } | undefined;
  readonly #open: Container[] = [];

  /** Whether the value's tokens have begun and not ended. */
  get inside(): boolean {
    return this.#open.length > 0;
  }

  accept(token: Token): void {
    this.done = undefined;
    switch (token.name) {
      case "startObject":
      case "startArray":
        if (this.#open.length === maxDepth) throw new JsonListError(`is nested deeper than ${maxDepth} levels`);
        this.#open.push({ value: token.name === "startArray" ? [] : {}, key: "" });
        break;
      case "endObject":
      case "endArray":
        this.#add(this.#open.pop()?.value);
        break;
      case "keyValue": {
        const parent = this.#open.at(-1);
        if (parent) parent.key = token.value;
        break;
      }
      case "numberValue":
        this.#add(Number(token.value));
        break;
      case "stringValue":
      case "nullValue":
      case "trueValue":
      case "falseValue":
        this.#add(token.value);
        break;
      default:
        // Tokens of pieces: those of whole values, above, hold the same.
        break;
    }
  }

  #add(value: unknown): void {
    const parent = this.#open.at(-1);
    if (!parent) this.done = { value };
    else if (Array.isArray(parent.value)) parent.value.push(value);
    // As JSON.parse does: an assignment to this key would set the prototype instead.
    else if (parent.key === "__proto__") {
      Object.defineProperty(parent.value, parent.key, { value, enumerable: true, configurable: true, writable: true });
    } else parent.value[parent.key] = value;
  }
}

/**
 * The elements of a JSON list, one by one; memory holds one element at a time.
 * @param text JSON text in pieces: a list, or an object with a list under one of `keys` (the first such list counts).
 * @throws JsonListError when the text is not JSON or has no such list.
 */
export async function* jsonList(
  text: AsyncIterable<string>,
  keys: readonly string[],
): AsyncGenerator<unknown, void, undefined> {
  const element = new ValueBuilder();
  let place: "start" | "object" | "list" | "after" = "start";
  let key = "";
  let skippedDepth = 0;
  for await (const tokens of tokenise(text)) {
    for (const token of tokens) {
      if (place === "list") {
        if (token.name === "endArray" && !element.inside) {
          place = "after";
          continue;
        }
        element.accept(token);
        if (element.done) yield element.done.value;
      } else if (place === "start") {
        if (token.name !== "startArray" && token.name !== "startObject") throw noList(keys);
        place = token.name === "startArray" ? "list" : "object";
      } else if (place === "object") {
        if (skippedDepth === 0 && token.name === "keyValue") key = token.value;
        else if (skippedDepth === 0 && token.name === "startArray" && keys.includes(key)) place = "list";
        else if (token.name === "startArray" || token.name === "startObject") skippedDepth++;
        else if (token.name === "endArray" || token.name === "endObject") skippedDepth--;
      }
    }
  }
  if (place !== "after") throw noList(keys);
}

const noList = (keys: readonly string[]) =>
  new JsonListError(
    `is JSON, but neither a list nor an object with a list under ${keys.map((key) => `"${key}"`).join(", ")}`,
  );

async function* tokenise(text: AsyncIterable<string>): AsyncGenerator<readonly Token[], void, undefined> {
  const parse = jsonParser({ packValues: true, streamValues: false });
  for await (const piece of text) yield tokensOf(parse, piece);
  yield tokensOf(parse, none);
}

function tokensOf(parse: ReturnType<typeof jsonParser>, piece: string | typeof none): readonly Token[] {
  let result: unknown;
  try {
    result = parse(piece as string);
  } catch (error) {
    const detail = error instanceof Error ? error.message.replace("Parser cannot parse input: ", "") : String(error);
    throw new JsonListError(`is not valid JSON (${detail})`, { cause: error });
  }
  return isMany(result) ? (getManyValues(result) as Token[]) : [];
}
