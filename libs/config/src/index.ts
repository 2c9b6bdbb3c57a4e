export { ConfigError } from "./config-error.js";
export {
  type BooleanSetting,
  defineSettings,
  type EnumSetting,
  type ListSetting,
  type NumberSetting,
  type SettingDefinition,
  type SettingDefinitions,
  type SettingValue,
  type SettingValues,
  type StringSetting,
  settingArguments,
  settingFlags,
  settingName,
} from "./definitions.js";
export { type FlagValue, type FlagValues, parseFlags } from "./parse-flags.js";
export { readConfigFile } from "./read-layer.js";
export {
  type ResolvedSettings,
  resolveSettings,
  type SettingLayer,
  type SettingProvenance,
  type SettingSources,
  settingLayers,
} from "./resolve-settings.js";
export { envExample, settingsSchema } from "./settings-schema.js";
export { suggestion } from "./suggestion.js";
