import { leaseSettings } from "@ragline/gpu-lease";

/** The settings of a run that a search has too. */
export const searchSettings = leaseSettings;
