export { type ExportMetrics, exportHandlers } from "./export-handlers.js";
