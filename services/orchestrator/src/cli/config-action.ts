import { envExample, settingsSchema } from "@ragline/config";
import { modelEntrySchema } from "@ragline/models";
import type { Command } from "commander";
import { z } from "zod";
import { runSettings } from "../run-settings.js";
import { describeFailure } from "./describe-failure.js";
import { exitCodes } from "./exit-codes.js";
import { resolveRunSettings } from "./resolve-run-settings.js";
import { settingsText } from "./settings-text.js";

/** The schema of a user's own models. */
function modelsSchema(): Record<string, unknown> {
  const { $schema: _, ...items } = z.toJSONSchema(modelEntrySchema, { io: "input" });
  return { description: "Models of your own, beside those of the registry.", type: "array", items };
}

/** The JSON Schema of the config file, as committed in docs/. */
export function configSchemaText(): string {
  const head = {
    title: "Ragline run settings",
    description:
      "config/embedder.json: any of the settings of `ragline run`, over the defaults and under .env, environment and flags.",
  };
  return `${JSON.stringify(settingsSchema(runSettings, head, { models: modelsSchema() }), undefined, 2)}\n`;
}

/** The example `.env`, as committed. */
export function envExampleText(): string {
  return envExample(runSettings);
}

/** Prints the settings, or what describes them, and returns the exit code. */
export function configAction(command: Command): number {
  const {
    json,
    schema,
    envExample: example,
  } = command.opts<{ json?: boolean; schema?: boolean; envExample?: boolean }>();
  try {
    if (schema) {
      process.stdout.write(configSchemaText());
    } else if (example) {
      process.stdout.write(envExampleText());
    } else {
      const { provenance } = resolveRunSettings(command);
      const lines = provenance.map(({ key, value, layer, source }) => ({ key, value, layer, source }));
      process.stdout.write(
        json ? `${JSON.stringify({ settings: lines }, undefined, 2)}\n` : `${settingsText(lines)}\n`,
      );
    }
    return exitCodes.done;
  } catch (error) {
    const { code, message } = describeFailure(error);
    process.stderr.write(`ragline: ${message}\n`);
    return code;
  }
}
