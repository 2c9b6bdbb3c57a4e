export type { ExportedChunk } from "./core/chunk-files.js";
export type { DenseSpacePlan, ExportPlan, FaissIndexKind } from "./core/export-plan.js";
export { ExportRun } from "./core/export-run.js";
export { type ExportMetrics, exportHandlers } from "./export-handlers.js";
