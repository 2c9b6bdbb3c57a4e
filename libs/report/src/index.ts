export { type WriteReportOptions, writeReport } from "./write-report.js";
