import { type ResolvedSettings, resolveSettings } from "@ragline/config";
import { modelSettings } from "@ragline/models";
import type { Command } from "commander";
import { type RunSettings, runSettings } from "../run-settings.js";
import { readFlags } from "./setting-options.js";

/**
 * The settings of a run from all layers: defaults, config/embedder.json, .env, environment, flags.
 * @throws ConfigError naming the place of a value that is not allowed.
 */
export function resolveRunSettings(command: Command): ResolvedSettings<typeof runSettings> {
  return resolveSettings(runSettings, {
    flags: readFlags(command, runSettings),
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
