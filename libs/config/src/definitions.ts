interface Common {
  /** One sentence for a person, shown by help. */
  readonly description: string;
  /** The environment variable, also read from `.env`. @default none */
  readonly env?: string;
  /** The flag. @default "--" and the key in kebab case */
  readonly flag?: string;
}

/** On or off: 1, true, yes, on, or 0, false, no, off, in any case. Its flags are a pair. */
export interface BooleanSetting extends Common {
  readonly type: "boolean";
  readonly default: boolean | null;
  /** The flag that switches off. @default "--disable-x" for "--enable-x", else "--no-x" for "--x" */
  readonly offFlag?: string;
}

/** A number, or a whole one. */
export interface NumberSetting extends Common {
  readonly type: "integer" | "number";
  readonly default: number | null;
  /** Smallest value allowed. @default none */
  readonly minimum?: number;
  /** Largest value allowed. @default none */
  readonly maximum?: number;
}

/** Any text. */
export interface StringSetting extends Common {
  readonly type: "string";
  readonly default: string | null;
}

/** One of a few names. */
export interface EnumSetting extends Common {
  readonly type: "enum";
  readonly values: readonly string[];
  readonly default: string | null;
}

/** Several names, separated by spaces or commas; a JSON array in the config file. */
export interface ListSetting extends Common {
  readonly type: "list";
  readonly default: readonly string[] | null;
  /** The names allowed. @default any */
  readonly values?: readonly string[];
  /** Takes entries as they are, spaces and commas included: for paths. @default false */
  readonly verbatim?: boolean;
}

/** What one setting takes. A default of null means that the setting may stay without a value. */
export type SettingDefinition = BooleanSetting | NumberSetting | StringSetting | EnumSetting | ListSetting;

/** Definitions by key. Keys may be written in camelCase; files, flags and provenance name them in snake_case. */
export type SettingDefinitions = Readonly<Record<string, SettingDefinition>>;

type Plain<D extends SettingDefinition> = D extends BooleanSetting
  ? boolean
  : D extends NumberSetting
    ? number
    : D extends { readonly type: "enum"; readonly values: readonly (infer V)[] }
      ? V
      : D extends { readonly type: "list"; readonly values: readonly (infer V)[] }
        ? readonly V[]
        : D extends ListSetting
          ? readonly string[]
          : string;

/** The type of a setting's value. */
export type SettingValue<D extends SettingDefinition> = Plain<D> | (null extends D["default"] ? null : never);

/** The values of all settings, by key. */
export type SettingValues<D extends SettingDefinitions> = { readonly [K in keyof D]: SettingValue<D[K]> };

/** Settings with their types kept: `resolveSettings` infers the type of each value from what stands here. */
export function defineSettings<const D extends SettingDefinitions>(definitions: D): D {
  return definitions;
}

/** The name of a key in files and provenance: "enableRerank" and "enable_rerank" are both "enable_rerank". */
export function settingName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The flags of a setting; `off` exists for booleans alone. */
export function settingFlags(key: string, definition: SettingDefinition): { on: string; off?: string } {
  const on = definition.flag ?? `--${settingName(key).replaceAll("_", "-")}`;
  if (definition.type !== "boolean") return { on };
  const off = on.startsWith("--enable-") ? on.replace("--enable-", "--disable-") : on.replace("--", "--no-");
  return { on, off: definition.offFlag ?? off };
}

/** The flags that say what these values say, for another program with the same settings; null is left out. */
export function settingArguments<const D extends SettingDefinitions>(
  definitions: D,
  values: SettingValues<D>,
): string[] {
  return Object.entries(definitions).flatMap(([key, definition]) => {
    const value = values[key] as boolean | number | string | readonly string[] | null;
    const { on, off = on } = settingFlags(key, definition);
    if (value === null) return [];
    if (typeof value === "boolean") return [value ? on : off];
    return typeof value === "object" ? value.flatMap((item) => [on, item]) : [on, String(value)];
  });
}
