import { ExportService } from "@ragline/contracts";
import { runService } from "@ragline/service-kit";
import { exportHandlers } from "./export-handlers.js";

await runService({ name: "export", service: ExportService, handlers: ({ metrics }) => exportHandlers(metrics) });
