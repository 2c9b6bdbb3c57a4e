import {
  type FlagValue,
  type FlagValues,
  type SettingDefinition,
  type SettingDefinitions,
  settingFlags,
} from "@ragline/config";
import { type Command, Option } from "commander";

const placeholder: Record<Exclude<SettingDefinition["type"], "boolean">, string> = {
  string: "<value>",
  enum: "<name>",
  integer: "<n>",
  number: "<x>",
  list: "<names...>",
};

function helpOf(definition: SettingDefinition): string {
  const { description, env } = definition;
  const value = Array.isArray(definition.default) ? definition.default.join(" ") : definition.default;
  const values = definition.type === "enum" || definition.type === "list" ? (definition.values ?? []) : [];
  const choices = values.length > 0 ? ` ${definition.type === "enum" ? "One" : "Some"} of ${values.join(", ")}.` : "";
  return `${description}${choices}${value === null || value === "" ? "" : ` (default: ${String(value)})`}${env ? ` [${env}]` : ""}`;
}

/** An option that stands for itself: commander would take "--no-x" for the absence of "--x", and hide that both were given. */
function plainOption(flag: string, help = ""): Option {
  const option = new Option(flag, help);
  option.negate = false;
  return option;
}

/** Adds an option for each setting, and for booleans one that switches on and one that switches off. */
export function addSettings(command: Command, definitions: SettingDefinitions): Command {
  for (const [key, definition] of Object.entries(definitions)) {
    const { on, off } = settingFlags(key, definition);
    if (definition.type !== "boolean" || off === undefined) {
      command.addOption(
        new Option(`${on} ${placeholder[definition.type as keyof typeof placeholder]}`, helpOf(definition)),
      );
    } else {
      command.addOption(plainOption(on, helpOf(definition))).addOption(plainOption(off, `Switches ${on} off.`));
    }
  }
  return command;
}

/** What the command line said of each setting. */
export function readFlags<const D extends SettingDefinitions>(command: Command, definitions: D): FlagValues<D> {
  const flags: Record<string, FlagValue[]> = {};
  const read = (flag: string): unknown => command.getOptionValue(plainOption(flag).attributeName());
  for (const [key, definition] of Object.entries(definitions)) {
    const { on, off } = settingFlags(key, definition);
    const given: FlagValue[] = [];
    const value = read(on);
    if (value !== undefined) given.push({ value, source: on });
    if (off !== undefined && read(off) !== undefined) given.push({ value: false, source: off });
    if (given.length > 0) flags[key] = given;
  }
  return flags as FlagValues<D>;
}
