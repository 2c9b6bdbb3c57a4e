import { type ResolvedSettings, resolveSettings } from "@ragline/config";
import { modelSettings } from "@ragline/models";
import type { Command } from "commander";
import { type RunSettings, runSettings } from "../run-settings.js";
import { readFlags } from "./setting-options.js";

/**
 * The settings of a run from all layers: defaults, config/embedder.json, .env, environment, flags.
 * @param ownFlags settings whose flag means something else to this command. @default none
 * @throws ConfigError naming the place of a value that is not allowed.
 */
export function resolveRunSettings(
  command: Command,
  ownFlags: readonly (keyof RunSettings)[] = [],
): ResolvedSettings<typeof runSettings> {
  const owned: readonly string[] = ownFlags;
  const flagged = Object.fromEntries(Object.entries(runSettings).filter(([key]) => !owned.includes(key)));
  return resolveSettings<typeof runSettings>(runSettings, {
    flags: readFlags(command, flagged),
    env: process.env,
    dotenvPath: ".env",
    configPath: "config/embedder.json",
    otherKeys: ["models"],
  });
}

/**
 * The settings of models from the same layers, for commands that have the flags of those alone.
 * @throws ConfigError naming the place of a value that is not allowed.
 */
export function resolveModelSettings(command: Command): RunSettings {
  return resolveSettings<typeof runSettings>(runSettings, {
    flags: readFlags(command, modelSettings),
    env: process.env,
    dotenvPath: ".env",
    configPath: "config/embedder.json",
    otherKeys: ["models"],
  }).values;
}
