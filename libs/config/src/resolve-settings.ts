import { ConfigError } from "./config-error.js";
import { type SettingDefinition, type SettingDefinitions, type SettingValues, settingName } from "./definitions.js";
import type { FlagValue, FlagValues } from "./parse-flags.js";
import { parseValue } from "./parse-value.js";
import { readConfigFile, readDotenv } from "./read-layer.js";
import { suggestion } from "./suggestion.js";

/** The layers, each over those before it. */
export const settingLayers = ["default", "config", "dotenv", "env", "cli"] as const;

/** Where a value came from. */
export type SettingLayer = (typeof settingLayers)[number];

/** One value and where it came from. */
export interface SettingProvenance {
  /** The setting in snake_case, such as "enable_rerank". */
  readonly key: string;
  readonly value: unknown;
  readonly layer: SettingLayer;
  /** The exact place: "--disable-rerank", "EMBEDDER_ENABLE_RERANK", ".env:EMBEDDER_ENABLE_RERANK", "config/embedder.json:enable_rerank" or "default". */
  readonly source: string;
}

/** What {@link resolveSettings} reads, layer by layer. */
export interface SettingSources<D extends SettingDefinitions> {
  /** What the command line said. @default {} */
  readonly flags?: FlagValues<D>;
  /** The environment. An empty variable counts as not set. @default {} */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A `.env` file; one that does not exist is skipped. @default none */
  readonly dotenvPath?: string | undefined;
  /** A JSON file of settings; one that does not exist is skipped. @default none */
  readonly configPath?: string | undefined;
  /** Keys of the JSON file that others read. @default none */
  readonly otherKeys?: readonly string[];
}

/** The outcome of {@link resolveSettings}. */
export interface ResolvedSettings<D extends SettingDefinitions> {
  readonly values: SettingValues<D>;
  /** One entry per setting, in the order of the definitions. */
  readonly provenance: readonly SettingProvenance[];
}

/** The flags that speak of one setting, as one value; flags that contradict each other are an error. */
function flagValue(given: FlagValue | readonly FlagValue[], definition: SettingDefinition): FlagValue | undefined {
  const flags: readonly FlagValue[] = "source" in given ? [given] : given;
  if (definition.type === "list" && flags.length > 0) {
    return { value: flags.flatMap(({ value }) => value as string | string[]), source: flags[0]?.source ?? "" };
  }
  const [first] = flags;
  const other = flags.find(({ value }) => value !== first?.value);
  if (!first || !other) return first;
  throw new ConfigError(
    first.source === other.source
      ? `${first.source} was given twice with different values; give it once`
      : `${first.source} and ${other.source} contradict each other; give one of them`,
  );
}

function checkKeys(path: string, found: Record<string, unknown>, known: readonly string[]): void {
  for (const key of Object.keys(found)) {
    if (!known.includes(key)) throw new ConfigError(`${path} has an unknown key "${key}"${suggestion(key, known)}`);
  }
}

/**
 * The value of every setting, from the highest layer that has one: defaults < config file < `.env` < environment
 * < flags. Every layer that speaks is checked, also where a higher one wins.
 *
 * @throws ConfigError for a value that is not allowed, contradicting flags, an unknown key or malformed JSON in the
 * config file, each naming the place
 */
export function resolveSettings<const D extends SettingDefinitions>(
  definitions: D,
  sources: SettingSources<D> = {},
): ResolvedSettings<D> {
  const { flags = {} as FlagValues<D>, env = {}, dotenvPath, configPath, otherKeys = [] } = sources;
  const file = configPath === undefined ? {} : readConfigFile(configPath);
  checkKeys(configPath ?? "", file, [...Object.keys(definitions).map(settingName), ...otherKeys]);
  const dotenv = dotenvPath === undefined ? {} : readDotenv(dotenvPath);

  const values: Record<string, unknown> = {};
  const provenance: SettingProvenance[] = [];
  for (const [key, definition] of Object.entries(definitions)) {
    const name = settingName(key);
    let found: SettingProvenance = { key: name, value: definition.default, layer: "default", source: "default" };
    const take = (layer: SettingLayer, raw: unknown, source: string) => {
      found = { key: name, value: parseValue(raw, definition, source), layer, source };
    };
    if (name in file) take("config", file[name], `${configPath}:${name}`);
    const variable = definition.env;
    if (variable !== undefined) {
      if (dotenv[variable]) take("dotenv", dotenv[variable], `${dotenvPath}:${variable}`);
      if (env[variable]) take("env", env[variable], variable);
    }
    const given = flags[key];
    const flag = given === undefined ? undefined : flagValue(given, definition);
    if (flag) take("cli", flag.value, flag.source);
    values[key] = found.value;
    provenance.push(found);
  }
  return { values: values as SettingValues<D>, provenance };
}
