import { defineSettings, type SettingValues } from "@ragline/config";
import { fusionMethods } from "@ragline/fusion";
import { leaseSettings } from "@ragline/gpu-lease";
import { modelSettings } from "@ragline/models";
import { metricsSettings } from "@ragline/telemetry";
import { readingSettings } from "./reading-settings.js";
import { traceSettings } from "./trace-settings.js";

/** The settings of a run. Names, flags and variables are those that users of the pipeline before it know. */
export const runSettings = defineSettings({
  input: {
    type: "list",
    verbatim: true,
    default: null,
    description: "Files or directories with documents.",
  },
  ...readingSettings,
  chunkedDir: { type: "string", default: null, description: "Directory with collections of *_chunks.json files." },
  collections: {
    type: "list",
    default: null,
    description: "Collections to run, all by default; with --input, the name of the one collection.",
  },
  outputDir: { type: "string", default: "ragline-out", description: "Where the artifacts go." },
  exportPrefix: {
    type: "string",
    default: null,
    description: "Prefix of the artifacts' names, the collection's name by default.",
  },
  summaryPath: {
    type: "string",
    default: null,
    description: "Where the manifest goes, processing_summary.json beside the artifacts by default.",
  },
  longText: {
    type: "enum",
    values: ["truncate", "window-mean"],
    default: "truncate",
    description:
      "What becomes of a passage with more tokens than a dense model takes: the vector of its start, or the mean over all its parts.",
  },
  faissIndex: {
    type: "enum",
    values: ["flat", "hnsw", "none"],
    default: "flat",
    description: "FAISS index over the primary model: exact, a graph for large corpora (vectors in memory), or none.",
  },
  faissIds: {
    type: "boolean",
    default: false,
    description: "Write a flat FAISS index with ids as well, the first 63 bits of each point's UUID.",
  },
  saveIntermediate: {
    type: "boolean",
    default: false,
    description: "Keep the fused candidates of every query in a file of their own.",
  },
  ensembleModels: {
    type: "list",
    default: ["bge-small-en-v1.5", "all-miniLM-l6"],
    description: "Dense models, the primary one first.",
  },
  exclusiveEnsemble: {
    type: "boolean",
    default: true,
    description: "One model at a time on a device; without it the ensemble's models run side by side.",
  },
  enableSparse: { type: "boolean", default: true, env: "EMBEDDER_ENABLE_SPARSE", description: "Make sparse vectors." },
  sparseModels: {
    type: "list",
    default: ["splade-tiny", "qdrant-bm25"],
    env: "EMBEDDER_SPARSE_MODELS",
    description: "Sparse models, the primary one first.",
  },
  enableRerank: {
    type: "boolean",
    default: true,
    env: "EMBEDDER_ENABLE_RERANK",
    description: "Rerank the fused candidates.",
  },
  rerankModel: { type: "string", default: "qa-minilm-l6-cross-encoder", description: "CrossEncoder that reranks." },
  rerankCandidates: {
    type: "integer",
    default: null,
    minimum: 1,
    maximum: 10_000,
    description:
      "Fused candidates that are reranked for each query: 100 by default, 20 for the queries of the self-audit.",
  },
  rerankTopK: {
    type: "integer",
    default: 20,
    minimum: 1,
    maximum: 10_000,
    description: "Reranked candidates that are kept for each query.",
  },
  rerankBatchCap: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 10_000,
    env: "EMBEDDER_RERANK_BATCH_CAP",
    description: "Most pairs in one call of the CrossEncoder; 0 sets no cap beside the token budget.",
  },
  rerankTimeout: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 3_600_000,
    description:
      "Milliseconds that the scores of one query may take; candidates past it stay unscored, so results depend on the clock. 0 sets no limit.",
  },
  rerankMix: {
    type: "number",
    default: 0.25,
    minimum: 0,
    maximum: 1,
    description: "Share of the CrossEncoder's score in the order of reranked candidates; the fused score has the rest.",
  },
  fusion: {
    type: "enum",
    values: fusionMethods,
    default: "zscore",
    description: "How result lists become one ranking.",
  },
  fusionWeights: {
    type: "list",
    default: null,
    description:
      "How much result lists count, such as dense=2,sparse=1,bm25=1 (the default) or <model>=0.5; of dense and sparse models the first counts three times each of the others.",
  },
  rrfK: {
    type: "integer",
    default: 60,
    minimum: 0,
    maximum: 1_000_000,
    description: "The constant k of --fusion rrf, with ranks from 1.",
  },
  precision: {
    type: "enum",
    values: ["auto", "fp32", "fp16", "int8", "q4"],
    default: "auto",
    description:
      "auto is int8 where the CPU multiplies int8 natively, else fp32; where a model lacks that, what it has.",
  },
  queries: {
    type: "string",
    default: null,
    description: "File of queries, one a line or BEIR jsonl; a self-audit by default.",
  },
  auditQueries: {
    type: "integer",
    default: 64,
    minimum: 0,
    maximum: 10_000,
    description: "Known-item queries of the self-audit; 0 switches it off.",
  },
  chunkTokens: {
    type: "integer",
    default: null,
    minimum: 32,
    maximum: 8192,
    description: "Most tokens in a chunk, the smallest limit of the ensemble by default (and at most that).",
  },
  chunkOverlap: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 8,
    description: "Sentences of the previous chunk's end to repeat in front of a chunk of the same section.",
  },
  chunkStrategy: {
    type: "enum",
    values: ["structure", "window", "semantic"],
    default: "structure",
    description:
      "How documents are cut: along their structure, into runs of as many words as fit, or along the structure and where the topic turns.",
  },
  skipFlagged: {
    type: "list",
    values: ["few_terms", "few_words", "repetitive", "links", "cut", "low_quality"],
    default: null,
    description:
      "Leave out chunks of documents with one of these quality_flags, such as links; what they hold is counted as flagged.",
  },
  maxBatchTokens: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    description:
      "Most padded tokens in one call of texts that may share one; 0 is one text per call on a CPU, and as many as memory allows, up to 16384, on a GPU.",
  },
  workers: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 256,
    env: "RAGLINE_WORKERS",
    description: "Worker processes per model; 0 is one per core.",
  },
  endpoints: {
    type: "list",
    default: null,
    env: "RAGLINE_ENDPOINTS",
    description:
      "Running services to use, such as dense=host:port; several addresses of a stage, dense=a:1,b:2, share its work. The others are started.",
  },
  leaseTimeout: {
    type: "integer",
    default: 600,
    minimum: 1,
    maximum: 86_400,
    description: "Seconds that a model waits for a device at most.",
  },
  leasePriority: {
    type: "integer",
    default: 0,
    minimum: -100,
    maximum: 100,
    description: "Of several models that wait for a device, those of the run with the higher priority go first.",
  },
  ...leaseSettings,
  cudaVisibleDevices: {
    type: "string",
    default: null,
    env: "CUDA_VISIBLE_DEVICES",
    description: "GPUs that may be used, by number or UUID; cuda:<n> counts those that are left.",
  },
  ...modelSettings,
  refreshCache: {
    type: "boolean",
    default: false,
    description: "Pull the run's models again, also those that are here.",
  },
  stageReport: {
    type: "boolean",
    default: true,
    flag: "--enable-stage-report",
    description: "Print the table of the stages at the end.",
  },
  report: {
    type: "boolean",
    default: true,
    description: "Write report.html beside the artifacts: the run as a page with plots and tables.",
  },
  storeQueries: {
    type: "boolean",
    default: false,
    description: "Write the text of queries into the rerank file and the manifest; without it only hash and length.",
  },
  ...metricsSettings,
  metricsListen: {
    type: "string",
    default: null,
    description: "host:port where this process serves its Prometheus metrics at /metrics while the run lasts.",
  },
  metricsFile: {
    type: "string",
    default: null,
    description: "File for the metrics of all processes at the end of the run, in the text format of Prometheus.",
  },
  metricsPush: {
    type: "string",
    default: null,
    description: "URL of a Pushgateway that gets the metrics at the end of the run, such as http://127.0.0.1:9091.",
  },
  ...traceSettings,
  failOn: {
    type: "enum",
    values: ["failed", "degraded"],
    default: "failed",
    description: "What makes the exit code 3: degraded counts every degradation.",
  },
});

/** The resolved values of a run's settings. */
export type RunSettings = SettingValues<typeof runSettings>;

/** The settings that say how the lists of a run's models become one ranking: a finished run can be ranked anew by them. */
export const rankingKeys = ["fusion", "fusionWeights", "rrfK", "rerankModel", "rerankCandidates", "rerankMix"] as const;

/** One of {@link rankingKeys}. */
export type RankingKey = (typeof rankingKeys)[number];
