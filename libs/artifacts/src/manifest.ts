import { z } from "zod";
import { ArtifactError } from "./artifact-error.js";

const count = z.number().int().nonnegative();
const names = z.array(z.string());

/** A decision between settings: which value won, and which layer it came from. */
const provenanceEntry = z.looseObject({
  key: z.string(),
  value: z.unknown(),
  source: z.string(),
  layer: z.string().optional(),
});

const featureToggles = z.looseObject({
  enable_rerank: z.boolean().optional(),
  enable_sparse: z.boolean().optional(),
  sparse_models: names.optional(),
  sources: z.record(z.string(), z.unknown()).optional(),
  // The Python pipeline wrote an object of key to source.
  provenance: z.union([z.array(provenanceEntry), z.record(z.string(), z.unknown())]).optional(),
  provenance_lines: names.optional(),
});

const denseRun = z.looseObject({
  total_embeddings_generated: count.optional(),
  embedding_dimension: count.optional(),
  processing_time_seconds: z.number().optional(),
  chunks_per_second: z.number().optional(),
  models_executed: names.optional(),
  lease_events: z.array(z.unknown()).optional(),
  batches_per_model: z.record(z.string(), z.unknown()).optional(),
  backend: z.string().optional(),
  precision: z.unknown().optional(),
  gpu_count: count.optional(),
});

const sparseRun = z.looseObject({
  run_id: z.string().optional(),
  enabled: z.boolean().optional(),
  executed: z.boolean().optional(),
  sparse_model: z.string().optional(),
  models: z.array(z.unknown()).optional(),
  query_sparse_vector: z.unknown().optional(),
  document_sparse_vectors: z.unknown().optional(),
  latency_ms: z.number().optional(),
  vectors: z
    .looseObject({ total: count.optional(), available: count.optional(), coverage_ratio: z.number().optional() })
    .optional(),
  devices: z.record(z.string(), z.unknown()).optional(),
  fallback_used: z.boolean().optional(),
  fallback_count: count.optional(),
  fallback_reason: z.string().nullish(),
});

const rerankRun = z.looseObject({
  run_id: z.string().optional(),
  enabled: z.boolean().optional(),
  executed: z.boolean().optional(),
  status: z.string().optional(),
  model_name: z.string().optional(),
  query: z.unknown().optional(),
  candidate_ids: z.array(z.unknown()).optional(),
  batch_size: z.number().nullish(),
  scores: z.array(z.unknown()).optional(),
  latency_ms: z.number().nullish(),
  gpu_peak_gb: z.number().nullish(),
  device_state: z
    .looseObject({
      requested: z.string().optional(),
      resolved: z.string().optional(),
      fallback_applied: z.boolean().optional(),
    })
    .optional(),
  fallback_count: count.optional(),
  fallback_reason: z.string().nullish(),
  fallback_source: z.string().nullish(),
  metrics: z.record(z.string(), z.unknown()).optional(),
  payload: z.record(z.string(), z.unknown()).nullish(),
});

const telemetry = z.looseObject({
  spans: z
    .record(
      z.string(),
      z.looseObject({
        span_id: z.string().nullish(),
        trace_id: z.string().nullish(),
        status: z.string(),
        reason: z.string().nullish(),
      }),
    )
    .optional(),
  metrics: z
    .record(
      z.string(),
      z.looseObject({ status: z.string(), reason: z.string().nullish(), metrics: z.array(z.unknown()).optional() }),
    )
    .optional(),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.looseObject({ name: z.string(), bytes: count, sha256 });
const figures = z.looseObject({});

const gpuFigures = z.looseObject({
  samples: count.optional(),
  peak_memory_used_gb: z.number().nullish(),
  per_gpu: z.record(z.string(), z.unknown()).optional(),
  peak_device: z.unknown().optional(),
  soft_limit_gb: z.number().nullish(),
  soft_limit_exceeded: z.boolean().nullish(),
  status: z.string().optional(),
  sampling_interval_ms: z.number().nullish(),
});

const performanceBaseline = z.looseObject({
  gpu: gpuFigures.optional(),
  devices: z
    .array(z.looseObject({ device: z.string(), kind: z.string(), leases: count, peak_bytes: z.number() }))
    .optional()
    .describe("Every device that was leased, CPUs too"),
  batch_resizes: z
    .array(
      z.looseObject({
        stage: z.string(),
        model: z.string(),
        cause: z.string().describe("out_of_memory, soft_limit, faster, not_faster or latency"),
        from_tokens: count,
        to_tokens: count,
      }),
    )
    .optional()
    .describe("Changes of how many padded tokens one call may have, the latest 100 of each model"),
});

const auditFigures = z.looseObject({
  ranking: z.string(),
  queries: count,
  hitAt1: z.number(),
  hitAt10: z.number(),
  mrrAt10: z.number(),
  intervals: z
    .record(z.string(), z.tuple([z.number(), z.number()]))
    .optional()
    .describe("95 % intervals by figure: Wilson's of shares, bootstrapped of the mean reciprocal rank"),
});

const evaluation = z.looseObject({
  kind: z.string().optional(),
  queries: count.optional(),
  rankings: z.array(auditFigures).optional(),
  strata: z
    .array(
      z.looseObject({
        by: z.string().describe("kind, content_type or document"),
        value: z.string(),
        queries: count,
        rankings: z.array(auditFigures),
      }),
    )
    .optional(),
  near_duplicates: z
    .looseObject({ similarity: z.number(), queries: count, chunks: count })
    .optional()
    .describe("How many queries are answered by chunks that say the same as their own, and how many chunks these are"),
  sections: z
    .looseObject({ queries: count, chunks: count })
    .optional()
    .describe("How many headings are answered by further chunks of their section, and how many chunks these are"),
  per_query: z
    .array(
      z.looseObject({
        kind: z.string(),
        query: z.looseObject({ sha256: z.string(), length: count, text: z.string().optional() }),
        row: count.describe("The chunk that the query was made from"),
        ranks: z
          .record(z.string(), count.nullable())
          .describe("Rank of the first right answer in each ranking, from 1; null where there is none"),
      }),
    )
    .optional(),
});

const timeline = z.looseObject({
  started_at: z.string().describe("ISO 8601; everything else counts from it"),
  period_seconds: z.number(),
  at_seconds: z.array(z.number()).describe("When each sample was taken"),
  work: z
    .array(
      z.looseObject({
        stage: z.string(),
        model: z.string(),
        unit: z.string(),
        items: count,
        start_seconds: z.number(),
        end_seconds: z.number().nullable(),
        done: z.array(count).describe("Items that were done at each sample"),
      }),
    )
    .describe("When each model worked, and how far it was"),
  memory: z
    .array(z.looseObject({ name: z.string(), bytes: z.array(z.number()) }))
    .describe(
      "Bytes at each sample: of the orchestrator's process, and of each device what is leased and what is in use",
    ),
});

const anomaly = z.looseObject({
  kind: z.string(),
  model: z.string().describe("Or the ranking; empty where it is about all"),
  count,
  detail: z.string(),
  examples: z.array(z.looseObject({ row: count, id: z.string(), document: z.string() })),
});

/**
 * The manifest, `processing_summary.json`, v4.0 and v4.1. Unknown keys are kept everywhere. A v4.0 manifest has no run
 * sections; in v4.1, `sparse_run` and `rerank_run` are null when the stage was off. From `run_id` on, the keys are
 * Ragline's additions.
 */
export const manifestSchema = z.looseObject({
  schema_version: z
    .string()
    .regex(/^v?4(\.\d+)*$/)
    .describe('"v4.1"; readers take any v4'),
  generated_at: z.string().optional().describe("ISO 8601 time at which the manifest was made"),
  collection: z.string(),
  chunk_count: count.describe("Rows of every file that has one per chunk"),
  feature_toggles: featureToggles.optional().describe("What was on, and where each setting's value came from"),
  dense_run: denseRun.nullish(),
  sparse_run: sparseRun.nullish().describe("Null when sparse vectors were off"),
  rerank_run: rerankRun.nullish().describe("Null when reranking was off"),
  ensemble_state: z.unknown().optional().describe("The dense models in order, and the primary one"),
  telemetry: telemetry.optional(),
  performance_baseline: performanceBaseline.optional(),
  compatibility: z.looseObject({ current: z.string(), legacy: names.optional() }).optional(),
  warnings: z.array(z.unknown()).optional(),
  run_id: z.string().optional(),
  trace_id: z.string().optional(),
  versions: z.record(z.string(), z.string()).optional(),
  config: z
    .looseObject({ sha256: sha256.optional(), values: figures.optional() })
    .optional()
    .describe("The resolved value of every setting, and a hash over them"),
  inputs: z
    .array(z.looseObject({ path: z.string(), bytes: count.optional(), sha256: z.string().optional() }))
    .optional(),
  skipped_inputs: z.array(z.looseObject({ path: z.string(), reason: z.string() })).optional(),
  coverage: figures.nullish().describe("How many of the sources' characters are in chunks"),
  models: z.array(z.looseObject({ stage: z.string(), name: z.string(), files: z.array(file).optional() })).optional(),
  fusion: figures.optional().describe("The method and its constants"),
  outcomes: z
    .array(
      z.looseObject({ stage: z.string(), reason: z.string(), source: z.string(), degraded: z.boolean().optional() }),
    )
    .optional()
    .describe("Whatever did not go as asked"),
  stages: z
    .record(
      z.string(),
      z.looseObject({
        seconds: z.number().optional(),
        start_seconds: z.number().optional(),
        end_seconds: z.number().optional(),
      }),
    )
    .optional()
    .describe("When each stage worked, in seconds on the timeline; of the export until all other files were staged"),
  timeline: timeline.optional().describe("What the run did over time, in 121 samples at most"),
  leases: z
    .array(
      z.looseObject({
        kind: z.string().describe("queued, granted, shrink, shrunk, revoked, released or abandoned"),
        leaseId: z.string(),
        stage: z.string(),
        model: z.string(),
        device: z.string(),
        bytes: z.number(),
        atMs: z.number().describe("Milliseconds since the epoch"),
        waitMs: z.number().optional(),
        peakBytes: z.number().optional(),
        reason: z.string().optional(),
      }),
    )
    .optional()
    .describe("What happened to the leases of devices, oldest first"),
  evaluation: evaluation.nullish().describe("The self-audit; null without one"),
  anomalies: z.array(anomaly).optional().describe("What is strange about chunks and their vectors"),
  outputs: z.array(file).optional().describe("Every other file of the run, in the order of writing"),
  manifest_sha256: sha256
    .optional()
    .describe("Last key: the SHA-256 of this file with these 64 digits replaced by zeros"),
});

/** What a run was, did and made. */
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Reads a manifest of schema v4.x.
 * @param json the file's text.
 * @param where its path, for messages.
 * @throws ArtifactError when it is not JSON, of another major version, or lacks what a v4 manifest must have.
 */
export function parseManifest(json: string, where: string): Manifest {
  const fail = (problem: string, cause?: unknown) =>
    new ArtifactError(
      "INVALID_FORMAT",
      `The manifest ${where} ${problem}`,
      cause === undefined ? undefined : { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw fail(`is not valid JSON (${detail}). Run again to write it anew.`, error);
  }
  const version =
    typeof value === "object" && value !== null && "schema_version" in value ? value.schema_version : undefined;
  const major = typeof version === "string" ? /^v?(\d+)(\.\d+)*$/.exec(version)?.[1] : undefined;
  if (major === undefined) throw fail('has no "schema_version" such as "v4.1". Is it a Ragline manifest?');
  if (major !== "4")
    throw fail(
      `has schema version ${String(version)}; this Ragline reads v4.0 and v4.1. Use a version of Ragline that reads it.`,
    );
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .map(({ path, message }) => `${path.join(".") || "top level"}: ${message}`)
    .slice(0, 5);
  throw fail(`is not a v4 manifest (${problems.join("; ")}). Run again to write it anew.`, parsed.error);
}

/** The prefix of the run's files: that of its `_stats.json`, or the collection's name where no outputs are listed. */
export function manifestPrefix(manifest: Manifest): string {
  const suffix = "_stats.json";
  const stats = manifest.outputs?.find(({ name }) => name.endsWith(suffix));
  return stats?.name.slice(0, -suffix.length) ?? manifest.collection;
}
