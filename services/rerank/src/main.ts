import { RerankService } from "@ragline/contracts";
import { LeaseBroker } from "@ragline/gpu-lease";
import { runService } from "@ragline/service-kit";
import { stageSettings } from "@ragline/stage";
import { rerankHandlers } from "./rerank-handlers.js";

await runService({
  name: "rerank",
  service: RerankService,
  settings: stageSettings,
  handlers: ({ config, log, metrics }) =>
    rerankHandlers({
      ...config,
      observer: metrics,
      leases: new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] }),
      onWorkerLost: (detail) => log.warn(detail, "a worker process died; a new one takes its place"),
    }),
});
