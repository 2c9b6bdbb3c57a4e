import { defineSettings, type SettingValues } from "@ragline/config";

/** Settings of every program that uses models: which there are, and where their files come from. */
export const modelSettings = defineSettings({
  modelsFile: {
    type: "string",
    default: "config/embedder.json",
    env: "RAGLINE_MODELS_FILE",
    description: 'JSON file with models of your own under "models".',
  },
  modelsLock: {
    type: "string",
    default: "ragline.models.lock",
    env: "RAGLINE_MODELS_LOCK",
    description: "File with the commits and hashes that the first pull of a model found.",
  },
  modelsDir: {
    type: "string",
    default: null,
    env: "RAGLINE_MODELS_DIR",
    description: "Folder with the folders of the embedded models, those that come with Ragline by default.",
  },
  hfCacheDir: {
    type: "string",
    default: null,
    env: "HF_HUB_CACHE",
    description: "Hugging Face cache where models are found and pulled into, `hub` below HF_HOME by default.",
  },
  hfHome: {
    type: "string",
    default: null,
    env: "HF_HOME",
    description: "Hugging Face's own folder, with its cache and its token.",
  },
  hfEndpoint: {
    type: "string",
    default: null,
    env: "HF_ENDPOINT",
    description: "Hub that models are pulled from, https://huggingface.co by default.",
  },
  localFilesOnly: {
    type: "boolean",
    default: false,
    env: "HF_HUB_OFFLINE",
    description: "Open no connection to a hub; models that are not here are an error.",
  },
});

/** The resolved values of {@link modelSettings}. */
export type ModelSettings = SettingValues<typeof modelSettings>;
