import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { ConfigError } from "./config-error.js";

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ConfigError(`cannot read ${path}: ${(error as Error).message}`);
  }
}

function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The object in a JSON file; empty where there is no such file. Throws a ConfigError with line and column. */
export function readConfigFile(path: string): Record<string, unknown> {
  const text = readText(path);
  if (text === undefined) return {};
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments: true });
  const [first] = errors;
  if (first) {
    const what = printParseErrorCode(first.error)
      .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
      .toLowerCase();
    throw new ConfigError(`${path}:${positionOf(text, first.offset)} is not valid JSON: ${what}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(`${path} must hold one JSON object of settings`);
  }
  return value as Record<string, unknown>;
}

/** The variables of a `.env` file; empty where there is no such file. */
export function readDotenv(path: string): Record<string, string | undefined> {
  const text = readText(path);
  return text === undefined ? {} : (parseEnv(text) as Record<string, string | undefined>);
}
