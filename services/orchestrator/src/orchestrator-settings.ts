import { defineSettings } from "@ragline/config";
import { leaseSettings } from "@ragline/gpu-lease";

/** The settings of the orchestrator as a service; each run brings its own beside them. */
export const orchestratorSettings = defineSettings({
  endpoints: {
    type: "list",
    default: [],
    env: "RAGLINE_ENDPOINTS",
    description:
      "Running stage services for runs that name none, such as dense=host:port; the others are started for each run.",
  },
  leaseBroker: {
    ...leaseSettings.leaseBroker,
    description: "Address of a running lease broker for runs that name none; without it each run has one of its own.",
  },
});
