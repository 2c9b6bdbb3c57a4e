import { DenseService } from "@ragline/contracts";
import { runService } from "@ragline/service-kit";
import { stageOptions, stageSettings } from "@ragline/stage";
import { denseHandlers } from "./dense-handlers.js";

await runService({
  name: "dense",
  service: DenseService,
  settings: stageSettings,
  handlers: (context) => denseHandlers(stageOptions(context)),
});
