import { parseArgs } from "node:util";
import { ConfigError } from "./config-error.js";
import { type SettingDefinition, type SettingDefinitions, settingFlags } from "./definitions.js";
import { suggestion } from "./suggestion.js";

/** What a flag said. */
export interface FlagValue {
  readonly value: unknown;
  /** The flag as given, such as "--disable-rerank". */
  readonly source: string;
}

/** What the flags said, by the definitions' keys; several for a flag given more than once. */
export type FlagValues<D extends SettingDefinitions> = {
  readonly [K in keyof D]?: FlagValue | readonly FlagValue[] | undefined;
};

/**
 * The flags of an argument list such as `process.argv.slice(2)`: `--flag value`, `--flag=value`, and pairs for
 * booleans (`--enable-x`, `--disable-x`). Nothing but flags of these definitions is allowed.
 *
 * @throws ConfigError for an unknown flag (with the nearest known one), a flag without its value, or a stray word
 */
export function parseFlags<const D extends SettingDefinitions>(definitions: D, args: readonly string[]): FlagValues<D> {
  const known = new Map<string, { key: string; definition: SettingDefinition; off: boolean }>();
  for (const [key, definition] of Object.entries(definitions)) {
    const { on, off } = settingFlags(key, definition);
    known.set(on, { key, definition, off: false });
    if (off !== undefined) known.set(off, { key, definition, off: true });
  }
  const options = Object.fromEntries(
    [...known].map(([flag, { definition }]) => [
      flag.slice(2),
      { type: definition.type === "boolean" ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const flags: Record<string, FlagValue[]> = {};
  for (const token of tokens) {
    if (token.kind === "positional") throw new ConfigError(`unexpected argument "${token.value}"`);
    if (token.kind === "option-terminator") continue;
    const flag = known.get(token.rawName);
    if (!flag) throw new ConfigError(`unknown flag ${token.rawName}${suggestion(token.rawName, [...known.keys()])}`);
    const isBoolean = flag.definition.type === "boolean";
    if (isBoolean && token.value !== undefined) throw new ConfigError(`${token.rawName} takes no value`);
    if (!isBoolean && token.value === undefined) throw new ConfigError(`${token.rawName} needs a value`);
    flags[flag.key] ??= [];
    flags[flag.key]?.push({ value: isBoolean ? !flag.off : token.value, source: token.rawName });
  }
  return flags as FlagValues<D>;
}
