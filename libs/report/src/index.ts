export type { EvaluationContent } from "./evaluation-content.js";
export { writeEvaluationReport } from "./write-evaluation-report.js";
export { type WriteReportOptions, writeReport } from "./write-report.js";
