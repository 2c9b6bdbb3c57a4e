import { defineSettings, type SettingDefinition, type SettingDefinitions, settingName } from "@ragline/config";
import { collectorSettings, metricsSettings } from "@ragline/telemetry";

const defaultGraceMs = 30_000;

/** What every service can be told, beside its own settings. */
export const commonSettings = defineSettings({
  listen: {
    type: "string",
    default: "127.0.0.1:0",
    description: "Where to serve: host:port (port 0 takes a free one) or unix:/absolute/path.",
  },
  metricsListen: {
    type: "string",
    default: "",
    description: "host:port of the Prometheus endpoint /metrics; empty switches it off.",
  },
  ...metricsSettings,
  logLevel: {
    type: "enum",
    values: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    default: "info",
    description: "Least severe log lines to write.",
  },
  logFormat: {
    type: "enum",
    values: ["auto", "json", "pretty"],
    default: "auto",
    description: "How log lines are written; auto is pretty on a terminal, JSON elsewhere.",
  },
  ...collectorSettings,
  graceMs: {
    type: "integer",
    default: defaultGraceMs,
    minimum: 0,
    description: "How long running calls may go on after SIGTERM, in milliseconds.",
  },
});

/**
 * Definitions in which every setting has a variable: its own, or `RAGLINE_<SERVICE>_<SETTING>` in upper snake case,
 * such as RAGLINE_DENSE_MAX_BATCH_TOKENS for `maxBatchTokens` of the service "dense".
 */
export function withVariables<D extends SettingDefinitions>(service: string, definitions: D): D {
  const variable = (key: string) => `RAGLINE_${service}_${settingName(key)}`.replaceAll("-", "_").toUpperCase();
  const named = Object.entries(definitions).map(([key, definition]): [string, SettingDefinition] => [
    key,
    { ...definition, env: definition.env ?? variable(key) },
  ]);
  return Object.fromEntries(named) as unknown as D;
}
