import { ArtifactError, type ArtifactErrorReason } from "@ragline/artifacts";
import { type ExportOpen, type ExportRequest, type ExportService, FaissIndex } from "@ragline/contracts";
import { type Handlers, RaglineError, type StatusName, untilAborted } from "@ragline/rpc";
import { fromFloat32Bytes } from "@ragline/vectors";
import type { ExportPlan, FaissIndexKind } from "./core/export-plan.js";
import { ExportRun } from "./core/export-run.js";

const statusOf: Readonly<Record<ArtifactErrorReason, StatusName>> = {
  NOT_FOUND: "NOT_FOUND",
  UNREADABLE: "FAILED_PRECONDITION",
  INVALID_FORMAT: "INVALID_ARGUMENT",
  EMPTY: "INVALID_ARGUMENT",
  INVALID_ARGUMENT: "INVALID_ARGUMENT",
  OUTPUT_UNUSABLE: "FAILED_PRECONDITION",
  DISK_FULL: "RESOURCE_EXHAUSTED",
};

const faissKindOf: Readonly<Record<FaissIndex, FaissIndexKind>> = {
  [FaissIndex.UNSPECIFIED]: "flat",
  [FaissIndex.FLAT]: "flat",
  [FaissIndex.HNSW]: "hnsw",
  [FaissIndex.NONE]: "none",
};

/** What the handlers tell of each export. */
export interface ExportMetrics {
  observeLatency(seconds: number): void;
  countChunks(outcome: string, count: number): void;
  observeExportSize(bytes: number): void;
}

/** The rpc handlers of the export stage. */
export function exportHandlers(metrics: ExportMetrics): Handlers<typeof ExportService> {
  return {
    export: async function* (requests, { signal }) {
      const startedAt = performance.now();
      const reading = untilAborted(requests, signal);
      let run: ExportRun | undefined;
      let committed = false;
      let bytes = 0;
      try {
        const open = await takeOpen(reading);
        run = await ExportRun.open(toPlan(open));
        for await (const { kind } of reading) {
          if (kind.case === "finish") {
            const files = await run.finish(signal);
            bytes = files.reduce((sum, file) => sum + file.bytes, 0);
            yield {
              kind: { case: "staged", value: { files: files.map((file) => ({ ...file, bytes: BigInt(file.bytes) })) } },
            };
          } else if (kind.case === "manifest") {
            const manifestPath = await run.commit(kind.value.json);
            committed = true;
            metrics.observeLatency((performance.now() - startedAt) / 1000);
            metrics.countChunks("ok", Number(open.chunkCount));
            metrics.observeExportSize(bytes);
            yield { kind: { case: "committed", value: { manifestPath } } };
            return;
          } else await stage(run, kind);
        }
        throw new RaglineError(
          "INVALID_ARGUMENT",
          "STREAM_INCOMPLETE",
          "The stream ended before the manifest was sent; nothing was written. Send finish, then the manifest.",
        );
      } catch (error) {
        throw error instanceof ArtifactError
          ? new RaglineError(statusOf[error.reason], error.reason, error.message, { cause: error })
          : error;
      } finally {
        if (run && !committed) await run.abort();
      }
    },
  };
}

async function takeOpen(requests: AsyncIterator<ExportRequest>): Promise<ExportOpen> {
  const first = await requests.next();
  if (!first.done && first.value.kind.case === "open") return first.value.kind.value;
  throw new RaglineError("INVALID_ARGUMENT", "OPEN_MISSING", 'The first message of an export must be "open".');
}

function toPlan(open: ExportOpen): ExportPlan {
  const faissIndex: FaissIndexKind | undefined = faissKindOf[open.faissIndex];
  if (faissIndex === undefined) {
    throw new RaglineError(
      "INVALID_ARGUMENT",
      "UNKNOWN_FAISS_INDEX",
      `This export service does not know the FAISS index ${open.faissIndex}. Update it, or ask for flat, hnsw or none.`,
    );
  }
  return {
    outputDir: open.outputDir,
    collection: open.collection,
    dense: open.dense,
    sparse: open.sparse.map(({ name }) => name),
    chunkCount: Number(open.chunkCount),
    rerank: open.rerank,
    faissIndex,
    faissIds: open.faissIds,
    fused: open.fused,
    ...(open.prefix === "" ? {} : { prefix: open.prefix }),
    ...(open.summaryPath === "" ? {} : { summaryPath: open.summaryPath }),
  };
}

/** Hands one message with content to the run. */
async function stage(run: ExportRun, kind: ExportRequest["kind"]): Promise<void> {
  switch (kind.case) {
    case "chunks":
      return run.chunks(kind.value.chunks);
    case "dense": {
      const { space, firstIndex, rows, values } = kind.value;
      if (rows === 0 || values.length % (rows * 4) !== 0) {
        throw new RaglineError(
          "INVALID_ARGUMENT",
          "BAD_BLOCK",
          `A block of ${space} has ${values.length} bytes for ${rows} rows; each row must have the same number of float32 values.`,
        );
      }
      return run.dense(space, {
        firstIndex: Number(firstIndex),
        columns: values.length / (rows * 4),
        values: fromFloat32Bytes(values),
      });
    }
    case "sparse":
      return run.sparse(kind.value.space, { ...kind.value, firstIndex: Number(kind.value.firstIndex) });
    case "fused":
    case "rerank":
      return run.lines(kind.case, kind.value.linesJson);
    default:
      throw new RaglineError(
        "INVALID_ARGUMENT",
        "UNEXPECTED_MESSAGE",
        `An export that is open does not take ${kind.case === undefined ? "an empty message" : `"${kind.case}"`}.`,
      );
  }
}
