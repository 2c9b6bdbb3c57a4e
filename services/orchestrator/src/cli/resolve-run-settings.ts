import { type ResolvedSettings, resolveSettings } from "@ragline/config";
import type { Command } from "commander";
import { runSettings } from "../run-settings.js";
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
  });
}
