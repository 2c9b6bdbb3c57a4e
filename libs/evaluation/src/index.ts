export {
  type Anomaly,
  type AnomalyKind,
  type AuditedModel,
  type AuditedRun,
  findAnomalies,
} from "./audit/anomalies.js";
export {
  type AnsweredQuery,
  type AuditedRanking,
  type AuditRow,
  type AuditStratum,
  auditReport,
  type SelfAudit,
} from "./audit/audit-report.js";
export { type AuditChunk, type AuditQuery, AuditSampler, type AuditSamplerOptions } from "./audit/audit-sampler.js";
export { DenseVectorAudit, type IdenticalVectors } from "./audit/dense-vector-audit.js";
export {
  answerRank,
  type KnownItemFigure,
  type KnownItemMetrics,
  knownItemFigures,
  knownItemMetrics,
} from "./audit/known-item-metrics.js";
export { comparedWords, NearDuplicates, nearDuplicateSimilarity, textKey } from "./audit/near-duplicates.js";
export { RowTally } from "./audit/row-tally.js";
export { SectionChunks, type SectionPlace } from "./audit/section-chunks.js";
export { type OutlierNorms, SparseVectorAudit } from "./audit/sparse-vector-audit.js";
export type { Stratum } from "./audit/stratified-choice.js";
export { type BootstrapOptions, bootstrapInterval, type Interval } from "./bootstrap-interval.js";
export { type CompareOptions, compareRankings, type RankingComparison } from "./compare-rankings.js";
export { type Dataset, type DatasetDocument, type DatasetQuery, documentText } from "./dataset.js";
export { DatasetError, type DatasetWarning } from "./dataset-error.js";
export type { Judgements, RunScores } from "./judgements.js";
export { type MeasureOptions, mean, measureRun, type RunMetrics } from "./measure-run.js";
export { defaultMetrics, type Metric, type MetricKind, parseMetric } from "./metric.js";
export { type OpenDatasetOptions, openDataset } from "./open-dataset.js";
export { type PairedTest, type PairedTestOptions, pairedDifferences, pairedRandomisationTest } from "./paired-test.js";
export { parseQueries, type Query, QueryFileError } from "./parse-queries.js";
export { rankDocuments } from "./rank-documents.js";
export { type ReadJudgements, readBeirQrels, readTrecQrels } from "./trec-qrels.js";
export { readTrecRun, type TrecRun, writeTrecRun } from "./trec-run.js";
export { wilsonInterval } from "./wilson-interval.js";
