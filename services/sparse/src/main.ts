import { SparseService } from "@ragline/contracts";
import { LeaseBroker } from "@ragline/gpu-lease";
import { runService } from "@ragline/service-kit";
import { stageSettings } from "@ragline/stage";
import { sparseHandlers } from "./sparse-handlers.js";

await runService({
  name: "sparse",
  service: SparseService,
  settings: stageSettings,
  handlers: ({ config, log, metrics }) =>
    sparseHandlers({
      ...config,
      observer: metrics,
      leases: new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] }),
      onWorkerLost: (detail) => log.warn(detail, "a worker process died; a new one takes its place"),
    }),
});
