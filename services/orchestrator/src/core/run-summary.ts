import { type Outcome, OutcomeReason, Stage } from "@ragline/contracts";
import type { AuditRow, AuditStratum } from "@ragline/evaluation";
import type { NamedAnomaly } from "./audit-run.js";
import type { CollectionResult } from "./collection-result.js";
import { type DeviceRow, deviceRows, stageRuns } from "./device-report.js";
import { enumName } from "./enum-name.js";
import type { Exported } from "./export-stage.js";
import type { ModelRun } from "./model-stream.js";
import { precisionName } from "./precision-name.js";

/** One line of the stage table. */
export interface StageRow {
  readonly stage: string;
  readonly model: string;
  readonly items: number;
  readonly unit: string;
  readonly seconds: number;
  /** Texts that the model read per second, queries included. */
  readonly itemsPerSecond: number;
  readonly batches: number;
  /** Mean items in one call of the model. */
  readonly batchSize: number;
  readonly peakBytes: number;
  /** Share of chunks with a vector, or of queries with scores. */
  readonly coverage: number | null;
  readonly fallbacks: number;
  readonly precision: string | null;
}

/** What a run made of one collection, as `--json` prints it. */
export interface CollectionSummary {
  readonly collection: string;
  readonly chunks: number;
  readonly outputDir: string;
  readonly manifest: string;
  /** Path of the report page; null without one. */
  readonly report: string | null;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
  readonly stages: readonly StageRow[];
  readonly devices: readonly DeviceRow[];
  /** Every ranking over all queries of the self-audit; empty without one. */
  readonly selfAudit: readonly AuditRow[];
  /** The same by kind of query, content type and document. */
  readonly auditStrata: readonly AuditStratum[];
  /** What is strange about chunks and their vectors. */
  readonly anomalies: readonly NamedAnomaly[];
  readonly skippedInputs: CollectionResult["collected"]["skipped"];
  readonly warnings: readonly {
    readonly stage: string;
    readonly reason: string;
    readonly detail: string;
    readonly degraded: boolean;
  }[];
}

/** What a run made, as `--json` prints it. */
export interface RunSummary {
  readonly runId: string;
  readonly traceId: string;
  readonly version: string;
  readonly seconds: number;
  readonly degraded: boolean;
  readonly collections: readonly CollectionSummary[];
}

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

/** A model's row: `items` of its texts are those of the corpus, the others are queries. */
function modelRow(stage: string, unit: string, run: ModelRun, items: number, coverage: number): StageRow {
  const { ready, summary } = run;
  const texts = Number(summary.items);
  const batches = Number(summary.batches);
  return {
    stage,
    model: ready.model,
    items,
    unit,
    seconds: summary.seconds,
    itemsPerSecond: ratio(texts, summary.seconds),
    batches,
    batchSize: ratio(texts, batches),
    peakBytes: Number(summary.peakBytes),
    coverage,
    fallbacks: summary.outcomes.filter(({ degraded }) => degraded).length,
    precision: precisionName(ready.precision),
  };
}

function plainRow(
  stage: string,
  unit: string,
  items: number,
  seconds: number,
  fallbacks: number,
  coverage: number | null,
): StageRow {
  return {
    stage,
    model: "",
    items,
    unit,
    seconds,
    itemsPerSecond: ratio(items, seconds),
    batches: 0,
    batchSize: 0,
    peakBytes: 0,
    coverage,
    fallbacks,
    precision: null,
  };
}

function stageRows(
  result: CollectionResult,
  outcomes: readonly Outcome[],
  exported: Exported,
  exportSeconds: number,
): StageRow[] {
  const { collected, dense, sparse, queries, rerank, seconds } = result;
  const total = collected.chunks.count;
  const degradedIn = (stage: Stage): number =>
    outcomes.filter((outcome) => outcome.stage === stage && outcome.degraded).length;
  const { ledger } = collected;
  return [
    plainRow(
      "chunk",
      "chunks",
      total,
      seconds.chunk,
      degradedIn(Stage.CHUNK),
      ledger ? ratio(ledger.characters - (ledger.characterCounts.oversized ?? 0), ledger.characters) : null,
    ),
    ...dense.map(({ run, available }) => modelRow("dense", "chunks", run, total, ratio(available, total))),
    ...sparse.map(({ run, model, available }) =>
      run
        ? modelRow("sparse", "chunks", run, total, ratio(available, total))
        : { ...plainRow("sparse", "chunks", total, seconds.sparse, 1, ratio(available, total)), model },
    ),
    plainRow("fusion", "queries", queries.length, seconds.fusion, 0, null),
    ...(rerank.status === "executed"
      ? [modelRow("rerank", "pairs", rerank.result.run, Number(rerank.result.run.summary.items), 1)]
      : []),
    ...(rerank.status === "error"
      ? [{ ...plainRow("rerank", "pairs", 0, seconds.rerank, degradedIn(Stage.RERANK), 0), model: rerank.model }]
      : []),
    plainRow("export", "files", exported.files.length + 1, exportSeconds, 0, null),
  ];
}

/** Sums up one collection. */
export function summariseCollection(
  result: CollectionResult,
  outcomes: readonly Outcome[],
  exported: Exported,
  outputDir: string,
  exportSeconds: number,
): Omit<CollectionSummary, "report"> {
  return {
    collection: result.planned.name,
    chunks: result.collected.chunks.count,
    outputDir,
    manifest: exported.manifestPath,
    files: exported.files.map(({ name, bytes, sha256 }) => ({ name, bytes: Number(bytes), sha256 })),
    stages: stageRows(result, outcomes, exported, exportSeconds),
    devices: deviceRows(stageRuns(result)),
    selfAudit: result.audit.selfAudit?.rankings ?? [],
    auditStrata: result.audit.selfAudit?.strata ?? [],
    anomalies: result.audit.anomalies,
    skippedInputs: result.collected.skipped,
    warnings: outcomes.map(({ stage, reason, detail, degraded }) => ({
      stage: enumName(Stage, stage),
      reason: enumName(OutcomeReason, reason),
      detail,
      degraded,
    })),
  };
}
