import { RerankService } from "@ragline/contracts";
import { runService } from "@ragline/service-kit";
import { stageOptions, stageSettings } from "@ragline/stage";
import { rerankHandlers } from "./rerank-handlers.js";

await runService({
  name: "rerank",
  service: RerankService,
  settings: stageSettings,
  handlers: (context) => rerankHandlers(stageOptions(context)),
});
