import { type SettingDefinition, type SettingDefinitions, settingFlags, settingName } from "./definitions.js";

function valueSchema(definition: SettingDefinition): Record<string, unknown> {
  switch (definition.type) {
    case "boolean":
      return { type: "boolean" };
    case "integer":
    case "number": {
      const { minimum, maximum } = definition;
      return {
        type: definition.type,
        ...(minimum === undefined ? {} : { minimum }),
        ...(maximum === undefined ? {} : { maximum }),
      };
    }
    case "enum":
      return { enum: definition.values };
    case "list":
      return { type: "array", items: definition.values ? { enum: definition.values } : { type: "string" } };
    case "string":
      return { type: "string" };
  }
}

/**
 * The JSON Schema (2020-12) of a config file with these settings, made from the definitions that validate it.
 * @param head `$id`, `title` and the like.
 * @param others schemas of keys that others read.
 */
export function settingsSchema(
  definitions: SettingDefinitions,
  head: Readonly<Record<string, string>>,
  others: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const properties = Object.entries(definitions).map(([key, definition]) => {
    const { description, default: fallback, env } = definition;
    const flag = settingFlags(key, definition).on;
    const says = `${description} Flag ${flag}${env ? `, variable ${env}` : ""}.`;
    return [
      settingName(key),
      { description: says, ...valueSchema(definition), ...(fallback === null ? {} : { default: fallback }) },
    ];
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...head,
    type: "object",
    properties: { ...Object.fromEntries(properties), ...others },
    additionalProperties: false,
  };
}

/** An example `.env` file: every setting that has a variable, commented out, with its description and default. */
export function envExample(definitions: SettingDefinitions): string {
  return Object.values(definitions)
    .filter(({ env }) => env !== undefined)
    .map(({ env, description, default: fallback }) => {
      const value = Array.isArray(fallback) ? fallback.join(",") : (fallback ?? "");
      return `# ${description}\n# ${env}=${String(value)}\n`;
    })
    .join("\n");
}
