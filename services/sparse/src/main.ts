import { SparseService } from "@ragline/contracts";
import { runService } from "@ragline/service-kit";
import { stageOptions, stageSettings } from "@ragline/stage";
import { sparseHandlers } from "./sparse-handlers.js";

await runService({
  name: "sparse",
  service: SparseService,
  settings: stageSettings,
  handlers: (context) => sparseHandlers(stageOptions(context)),
});
