import { OrchestratorService } from "@ragline/contracts";
import { runService } from "@ragline/service-kit";
import { orchestratorHandlers } from "./orchestrator-handlers.js";
import { orchestratorSettings } from "./orchestrator-settings.js";

await runService({
  name: "orchestrator",
  service: OrchestratorService,
  settings: orchestratorSettings,
  handlers: ({ config, log, allMetrics: metrics, tracing, relayLine }) =>
    orchestratorHandlers({ ...config, metrics, tracing, log, onLine: relayLine }),
});
