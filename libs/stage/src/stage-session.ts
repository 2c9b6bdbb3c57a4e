import { availableParallelism } from "node:os";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Precision, Stage, type StageOpen, type StageReadySchema } from "@ragline/contracts";
import { defaultCapBytes, type Lease, type LeaseSource, remoteLeases } from "@ragline/gpu-lease";
import { ModelSession, TextTokenizer } from "@ragline/inference";
import {
  fastestPrecision,
  findModel,
  hasGraph,
  type ModelEntry,
  type Precision as PrecisionName,
  type VerifiedModel,
  verifyModel,
} from "@ragline/models";
import { RaglineError } from "@ragline/rpc";
import { toStageError } from "./stage-error.js";
import type { StageObserver } from "./stage-observer.js";
import { StageTally } from "./stage-tally.js";

/** How a stage service runs its models. */
export interface StageOptions {
  /** Grants devices when the caller names no broker of its own. */
  readonly leases: LeaseSource;
  /** Worker processes for each open model. @default one per available core, as far as the cap of a device allows */
  readonly workers?: number;
  /** Threads of each worker's session. @default 1, which with one worker per core is the fastest on a CPU */
  readonly threadsPerWorker?: number;
  /** Folder with the models' folders. @default the embedded models */
  readonly modelsDir?: string;
  readonly observer: StageObserver;
  /** Told of a worker process that died. */
  readonly onWorkerLost?: (detail: {
    model: string;
    pid: number | undefined;
    signal: string | null;
    code: number | null;
  }) => void;
}

/** A model that is ready to compute for one stream. */
export interface StageSession {
  readonly entry: ModelEntry;
  readonly session: ModelSession;
  readonly tokenizer: TextTokenizer;
  readonly tally: StageTally;
  readonly observer: StageObserver;
  /** The first answer on the stream. */
  readonly ready: MessageInitShape<typeof StageReadySchema>;
  /** Batches to work on at once, so that no worker waits for the next one to arrive. */
  readonly batchesAhead: number;
  /**
   * Aborts when the stream has to end before its time, because the caller is gone or the lease was revoked: the session
   * closes by itself then. The reason is the error for the caller.
   */
  readonly ended: AbortSignal;
  /** Ends the workers, then gives the lease back; a second call waits for the first. */
  close(): Promise<void>;
}

const stageNames = { [Stage.DENSE]: "dense", [Stage.SPARSE]: "sparse", [Stage.RERANK]: "rerank" } as const;

// Runtime and heap of a worker process, then its weights: int8 on disk, four times that in fp32, and once more for the
// graph's own copy while it loads. Measured peaks lie below it for every embedded model.
const workerBaseBytes = 128 * 1024 ** 2;
const bytesPerGraphByte = 6;

/**
 * The model that a stream asks for.
 * @throws RaglineError NOT_FOUND listing the stage's models.
 */
export function findStageModel(name: string, stage: keyof typeof stageNames): ModelEntry {
  try {
    return findModel(name, stageNames[stage]);
  } catch (error) {
    throw toStageError(error);
  }
}

function choosePrecision(asked: Precision): PrecisionName {
  if (asked === Precision.FP32) return "fp32";
  return asked === Precision.INT8 ? "int8" : fastestPrecision();
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}

/** Aborts when the caller goes or the lease is revoked, whichever comes first. */
function endOf(caller: AbortSignal, { revoked, device }: Lease, model: string): AbortSignal {
  const ended = new AbortController();
  const message = `the lease of ${model} on ${device} was revoked; run again when the device is free`;
  whenAborted(caller, () => ended.abort(caller.reason));
  whenAborted(revoked, () =>
    ended.abort(new RaglineError("ABORTED", "LEASE_REVOKED", message, { cause: revoked.reason })),
  );
  return ended.signal;
}

function hydrate(
  model: VerifiedModel,
  open: StageOpen,
  options: StageOptions,
  workers: number,
  signal: AbortSignal,
): Promise<ModelSession> {
  const { onWorkerLost, observer } = options;
  return ModelSession.open(model, {
    workers,
    signal,
    onCall: (items, tokens) => observer.observeBatch(items, tokens),
    ...(options.threadsPerWorker ? { threadsPerWorker: options.threadsPerWorker } : {}),
    ...(open.maxBatchTokens ? { maxBatchTokens: open.maxBatchTokens } : {}),
    ...(open.maxBatchItems ? { maxBatchItems: open.maxBatchItems } : {}),
    ...(onWorkerLost ? { onWorkerLost: (detail) => onWorkerLost({ model: model.entry.key, ...detail }) } : {}),
  });
}

/**
 * Opens a model for one stream: checks its files, waits for a lease, starts the worker processes.
 * Files are checked before the lease is asked for, so that exclusive time is only work.
 * @throws RaglineError that says which model, what was wrong and what to do.
 */
export async function openStage(
  stage: keyof typeof stageNames,
  open: StageOpen,
  options: StageOptions,
  signal: AbortSignal,
): Promise<StageSession> {
  const entry = findStageModel(open.model, stage);
  if (!hasGraph(entry))
    throw new RaglineError("INVALID_ARGUMENT", "NO_GRAPH", `model ${entry.key} has no graph to run`);
  const precision = choosePrecision(open.precision);
  let lease: Lease | undefined;
  let ended = signal;
  try {
    const model = await verifyModel(entry, precision, options.modelsDir || undefined);
    const tokenizer = TextTokenizer.fromFile(model.tokenizerPath);
    const source = open.leaseBroker ? remoteLeases(open.leaseBroker) : options.leases;
    const workerBytes = workerBaseBytes + bytesPerGraphByte * model.graphBytes;
    const workers =
      options.workers || Math.max(1, Math.min(availableParallelism(), Math.floor(defaultCapBytes / workerBytes)));
    const bytes = workers * workerBytes;
    lease = await source.acquire({ stage: stageNames[stage], model: entry.key, bytes, signal });
    const held = lease;
    ended = endOf(signal, held, entry.key);
    const startedAt = performance.now();
    const session = await hydrate(model, open, options, workers, ended);
    held.reportUsage(session.stats.peakBytes);
    const shutDown = async () => {
      held.reportUsage(session.stats.peakBytes);
      await session.close();
      held.release();
    };
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= shutDown());
    // At once: the handler may be in the middle of a long batch, or wait for a request that never comes.
    whenAborted(ended, () => void close());
    return {
      entry,
      session,
      tokenizer,
      tally: new StageTally(stage, entry.key),
      observer: options.observer,
      batchesAhead: 2 * workers + 2,
      ended,
      ready: {
        model: entry.key,
        huggingFaceId: entry.huggingFaceId,
        precision: precision === "fp32" ? Precision.FP32 : Precision.INT8,
        device: held.device,
        workers,
        threadsPerWorker: options.threadsPerWorker ?? 1,
        maxTokens: entry.maxTokens,
        dimension: entry.dimension,
        leaseId: held.id,
        leaseWaitSeconds: held.waitMs / 1000,
        hydrateSeconds: (performance.now() - startedAt) / 1000,
        files: model.files.map(({ name, bytes: size, sha256 }) => ({ name, bytes: BigInt(size), sha256 })),
        license: entry.license,
        runtime: session.runtime,
      },
      close,
    };
  } catch (error) {
    lease?.release();
    throw ended.aborted ? ended.reason : toStageError(error);
  }
}
