import { DenseService } from "@ragline/contracts";
import { LeaseBroker } from "@ragline/gpu-lease";
import { runService } from "@ragline/service-kit";
import { stageSettings } from "@ragline/stage";
import { denseHandlers } from "./dense-handlers.js";

await runService({
  name: "dense",
  service: DenseService,
  settings: stageSettings,
  handlers: ({ config, log, metrics }) =>
    denseHandlers({
      ...config,
      observer: metrics,
      leases: new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] }),
      onWorkerLost: (detail) => log.warn(detail, "a worker process died; a new one takes its place"),
    }),
});
