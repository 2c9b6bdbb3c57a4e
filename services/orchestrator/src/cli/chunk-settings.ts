import { leaseSettings } from "@ragline/gpu-lease";
import { modelSettings } from "@ragline/models";
import { readingSettings } from "../reading-settings.js";
import { runSettings } from "../run-settings.js";
import { traceSettings } from "../trace-settings.js";

const { input, collections, ensembleModels, chunkTokens, chunkOverlap, chunkStrategy, skipFlagged, failOn } =
  runSettings;
const { precision, workers, endpoints, leaseTimeout } = runSettings;

/** The settings of a run that decide its chunks; the same ones give the same chunks in a run. */
export const chunkSettings = {
  input,
  ...readingSettings,
  collections,
  outputDir: {
    ...runSettings.outputDir,
    default: "ragline-chunks",
    description: "Where the chunk files go, in a directory with the collection's name.",
  },
  ensembleModels,
  chunkTokens,
  chunkOverlap,
  chunkStrategy,
  skipFlagged,
  // What the dense model runs on that finds where topics turn.
  ...leaseSettings,
  precision,
  workers,
  endpoints,
  leaseTimeout,
  ...modelSettings,
  ...traceSettings,
  failOn,
};
