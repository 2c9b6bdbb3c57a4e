import { defineSettings } from "@ragline/config";
import { collectorSettings } from "@ragline/telemetry";

/** Where the trace of a command goes. */
export const traceSettings = defineSettings({
  ...collectorSettings,
  traceFile: {
    type: "string",
    default: null,
    description: "File for the trace over all processes, as OTLP JSON; `ragline trace` shows it.",
  },
});
