import { leaseSettings } from "@ragline/gpu-lease";
import { rankingKeys, runSettings } from "../run-settings.js";
import { traceSettings } from "../trace-settings.js";

/** The settings of a run that a search has too: how to rank, where to compute, and where the trace goes. */
export const searchSettings = {
  // What is not set is as the run was made, so that no default is to be told.
  ...Object.fromEntries(rankingKeys.map((key) => [key, { ...runSettings[key], default: null }])),
  endpoints: runSettings.endpoints,
  ...leaseSettings,
  ...traceSettings,
};
