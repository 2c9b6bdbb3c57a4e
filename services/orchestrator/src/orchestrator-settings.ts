import { defineSettings } from "@ragline/config";

/** The settings of the orchestrator as a service; each run brings its own beside them. */
export const orchestratorSettings = defineSettings({
  endpoints: {
    type: "list",
    default: [],
    env: "RAGLINE_ENDPOINTS",
    description:
      "Running stage services for runs that name none, such as dense=host:port; the others are started for each run.",
  },
});
