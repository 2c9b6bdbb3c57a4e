export { type AuditChunk, type AuditQuery, AuditSampler, type AuditSamplerOptions } from "./audit-sampler.js";
export { type KnownItemMetrics, knownItemMetrics } from "./known-item-metrics.js";
export { parseQueries, type Query, QueryFileError } from "./parse-queries.js";
