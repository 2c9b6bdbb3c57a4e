import { defineSettings } from "@ragline/config";
import { leaseSettings } from "@ragline/gpu-lease";
import { modelSettings } from "@ragline/models";

/** The settings that all model stages share. */
export const stageSettings = defineSettings({
  ...leaseSettings,
  workers: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 256,
    env: "RAGLINE_WORKERS",
    description: "Worker processes for each open model; 0 is one per core, as far as the cap of a device allows.",
  },
  threadsPerWorker: {
    type: "integer",
    default: 1,
    minimum: 1,
    maximum: 64,
    description: "Threads of each worker's session.",
  },
  maxQueueTokens: {
    type: "integer",
    default: 1_000_000,
    minimum: 1,
    description: "Most tokens that wait or are computed at once, of all callers together; batches past it are refused.",
  },
  memoryModelsDir: {
    type: "string",
    default: "",
    description: "Folder for what was measured of models' memory; empty is the user's cache folder.",
  },
  ...modelSettings,
});
