import { ConfigError } from "./config-error.js";
import type { NumberSetting, SettingDefinition } from "./definitions.js";
import { suggestion } from "./suggestion.js";

const yes = ["1", "true", "yes", "on"];
const no = ["0", "false", "no", "off"];

/** What a definition allows, in words. */
function allowed(definition: SettingDefinition): string {
  switch (definition.type) {
    case "boolean":
      return `${yes.join(", ")}, or ${no.join(", ")}`;
    case "integer":
    case "number":
      return `${definition.type === "integer" ? "a whole number" : "a number"}${range(definition)}`;
    case "enum":
      return `one of ${definition.values.join(", ")}`;
    case "list":
      if (definition.verbatim) return "one or more entries";
      return definition.values ? `names out of ${definition.values.join(", ")}` : "names, by spaces or commas";
    case "string":
      return "text";
  }
}

function range({ minimum, maximum }: NumberSetting): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}

function parseNumber(raw: unknown, definition: NumberSetting): number | undefined {
  const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  if (definition.type === "integer" && !Number.isSafeInteger(value)) return undefined;
  if (value < (definition.minimum ?? value) || value > (definition.maximum ?? value)) return undefined;
  return value;
}

function parseBoolean(raw: unknown): boolean | undefined {
  const word = String(raw).trim().toLowerCase();
  if (yes.includes(word)) return true;
  return no.includes(word) ? false : undefined;
}

function parseList(raw: unknown, verbatim: boolean): string[] | undefined {
  const parts: unknown[] = Array.isArray(raw) ? raw : [raw];
  if (!parts.every((part) => typeof part === "string")) return undefined;
  if (verbatim) return parts.filter((part) => part !== "");
  return parts.flatMap((part) => part.split(/[\s,]+/)).filter((name) => name !== "");
}

function parse(raw: unknown, definition: SettingDefinition): unknown {
  switch (definition.type) {
    case "boolean":
      return parseBoolean(raw);
    case "integer":
    case "number":
      return parseNumber(raw, definition);
    case "enum":
      return definition.values.includes(String(raw)) ? raw : undefined;
    case "list": {
      const names = parseList(raw, definition.verbatim ?? false);
      return names?.every((name) => definition.values?.includes(name) ?? true) ? names : undefined;
    }
    case "string":
      return typeof raw === "string" ? raw : undefined;
  }
}

/**
 * The value of a setting from what a flag, a variable or a file holds.
 * @throws ConfigError that names `source`, what it holds and what is allowed
 */
export function parseValue(raw: unknown, definition: SettingDefinition, source: string): unknown {
  if (raw === null && definition.default === null) return null;
  const value = parse(raw, definition);
  if (value !== undefined) return value;
  const hint = definition.type === "enum" && typeof raw === "string" ? suggestion(raw, definition.values) : "";
  throw new ConfigError(`${source} is ${JSON.stringify(raw)}; expected ${allowed(definition)}${hint}`);
}
