import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { trace } from "@opentelemetry/api";
import {
  BatchResize_Cause,
  type BatchResizeSchema,
  OutcomeReason,
  Precision,
  Stage,
  type StageOpen,
  type StageReadySchema,
} from "@ragline/contracts";
import {
  type DeviceFallback,
  type DeviceKind,
  type LeaseSource,
  type LeaseSourceState,
  remoteLeases,
  toOutcomeSource,
} from "@ragline/gpu-lease";
import {
  calibrateSession,
  estimateMemory,
  type MemoryModel,
  MemoryModelStore,
  ModelSession,
  type Resize,
  TextTokenizer,
} from "@ragline/inference";
import {
  choosePrecision,
  findModel,
  type GraphModelEntry,
  hasGraph,
  type ModelEntry,
  ModelStore,
  type Precision as PrecisionName,
  type VerifiedModel,
} from "@ragline/models";
import { RaglineError } from "@ragline/rpc";
import { BatchSpans, noteWork } from "./batch-spans.js";
import { LeasedWorkers } from "./leased-workers.js";
import { observedLeases } from "./observed-leases.js";
import { outlastRestarts } from "./outlast-restarts.js";
import { toStageError } from "./stage-error.js";
import { activeTraceparent, type StageEvent, stageEvents } from "./stage-events.js";
import type { StageObserver } from "./stage-observer.js";
import { StageTally } from "./stage-tally.js";
import type { TokenQueue } from "./token-queue.js";
import { defaultBatchTokens, WorkerSizing } from "./worker-sizing.js";

/** How a stage service runs its models. */
export interface StageOptions {
  /** Grants devices when the caller names no broker of its own. */
  readonly leases: LeaseSource;
  /** Admits batches, for all streams of the service together. */
  readonly queue: TokenQueue;
  /** Worker processes for each open model on a CPU. @default one per available core, as far as the cap of a device allows */
  readonly workers?: number;
  /** Threads of each worker's session. @default 1, which with one worker per core is the fastest on a CPU */
  readonly threadsPerWorker?: number;
  /** Where the files of models come from. @default those that come with Ragline, and the user's Hugging Face cache */
  readonly models?: ModelStore;
  /** Told when files of a model are pulled. */
  readonly onPull?: (facts: object, message: string) => void;
  /** Where measured memory needs of models are kept. @default a folder of the user's cache */
  readonly memoryModelsDir?: string;
  readonly observer: StageObserver;
  /** Told what happens to a stream's leases, workers and calls, by the names of its span's events. @default nobody */
  readonly onEvent?: StageEvent;
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
  readonly workers: LeasedWorkers;
  readonly queue: TokenQueue;
  readonly tokenizer: TextTokenizer;
  readonly tally: StageTally;
  /** The spans of its batches. */
  readonly spans: BatchSpans;
  /** Tells what happens to the stream. */
  readonly tell: StageEvent;
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

const defaultLeaseWaitMs = 600_000;
// Of the first calls where the caller set no limit; they grow from there while larger ones are faster.
const firstBatchTokens = 2048;

const stageNames = { [Stage.DENSE]: "dense", [Stage.SPARSE]: "sparse", [Stage.RERANK]: "rerank" } as const;

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

const precisionOf: Partial<Record<Precision, PrecisionName>> = {
  [Precision.FP32]: "fp32",
  [Precision.FP16]: "fp16",
  [Precision.INT8]: "int8",
  [Precision.Q4]: "q4",
};

const onWire = { fp32: Precision.FP32, fp16: Precision.FP16, int8: Precision.INT8, q4: Precision.Q4 } as const;

/** What was asked for, or what AUTO is for this model on such a device. */
function precisionFor(asked: Precision, { graphs }: GraphModelEntry, kind: DeviceKind): PrecisionName {
  const available = Object.keys(graphs) as PrecisionName[];
  // The CUDA provider has no kernels for the int8 operators of these graphs, and would compute them on the CPU.
  return precisionOf[asked] ?? (kind === "cuda" && available.includes("fp32") ? "fp32" : choosePrecision(available));
}

/** Files of the model, here and checked. What has to be pulled is told when it begins. */
function openFiles(entry: GraphModelEntry, precision: PrecisionName, options: StageOptions, signal: AbortSignal) {
  const { models = new ModelStore(), onPull } = options;
  let isTold = false;
  return models.open(entry, precision, {
    signal,
    onProgress: ({ totalBytes: bytes }) => {
      if (!isTold) onPull?.({ model: entry.key, bytes }, `pulling ${entry.key}`);
      isTold = true;
    },
    onWait: (model) => onPull?.({ model }, `another process is pulling ${model}, waiting for it`),
  });
}

/** Tells of devices that were asked for and are not there: in the reply, and in the trace. */
function reportFallbacks(fallbacks: readonly DeviceFallback[], tally: StageTally, tell: StageEvent): void {
  for (const { requested, resolved, source, detail, degraded } of fallbacks) {
    tally.report({
      reason: OutcomeReason.DEVICE_UNAVAILABLE,
      source: toOutcomeSource(source),
      count: 1n,
      degraded,
      detail,
    });
    tell("rag.fallback", {
      "rag.reason": "device_unavailable",
      "rag.source": source,
      "rag.device.requested": requested,
      "rag.device": resolved,
    });
  }
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}

const causes = {
  out_of_memory: BatchResize_Cause.OUT_OF_MEMORY,
  soft_limit: BatchResize_Cause.SOFT_LIMIT,
  faster: BatchResize_Cause.FASTER,
  not_faster: BatchResize_Cause.NOT_FASTER,
  latency: BatchResize_Cause.LATENCY,
} as const;

/** A change of the token budget in the words of the contract. */
export function toBatchResize({ cause, fromTokens, toTokens }: Resize): MessageInitShape<typeof BatchResizeSchema> {
  return { cause: causes[cause], fromTokens, toTokens };
}

function newSession(
  model: VerifiedModel,
  open: StageOpen,
  { onWorkerLost, observer }: StageOptions,
  tell: StageEvent,
): ModelSession {
  return new ModelSession(model, {
    maxBatchTokens: open.maxBatchTokens || defaultBatchTokens,
    startBatchTokens: open.maxBatchTokens || firstBatchTokens,
    onCall: (items, tokens) => observer.observeBatch(items, tokens),
    onResize: ({ cause, fromTokens, toTokens }) => {
      observer.countResize(toTokens < fromTokens ? "down" : "up");
      tell("rag.batch.resize", { "rag.cause": cause, "rag.tokens.from": fromTokens, "rag.tokens.to": toTokens });
    },
    observer: {
      traceparent: activeTraceparent,
      onWork: noteWork,
      onOutOfMemory: () => {
        observer.countOutOfMemory();
        tell("rag.oom", { "rag.model": model.entry.key });
      },
    },
    ...(open.maxBatchItems ? { maxBatchItems: open.maxBatchItems } : {}),
    onWorkerLost: (detail) => {
      const { pid, signal, code } = detail;
      tell("rag.worker.lost", { "process.pid": pid ?? 0, "rag.signal": signal ?? "", "rag.exit_code": code ?? 0 });
      onWorkerLost?.({ model: model.entry.key, ...detail });
    },
  });
}

/** Tells the span of the stream what it is about, in the words of the GenAI conventions where they have some. */
export function describeModel({ key, stage, dimension }: ModelEntry, precision?: PrecisionName): void {
  trace.getActiveSpan()?.setAttributes({
    "gen_ai.provider.name": "ragline",
    "gen_ai.request.model": key,
    ...(stage === "dense"
      ? { "gen_ai.operation.name": "embeddings", "gen_ai.embeddings.dimension.count": dimension }
      : {}),
    "rag.stage": stage,
    ...(precision ? { "rag.precision": precision } : {}),
  });
}

/** One hash for the graph and its weights. */
function filesSha256({ files }: VerifiedModel): string {
  return createHash("sha256")
    .update(files.map(({ sha256 }) => sha256).join())
    .digest("hex");
}

/** What one worker needs on a kind of device: measured before, or a careful guess. */
async function memoryOf(model: VerifiedModel, store: MemoryModelStore, threads: number, kind: DeviceKind) {
  const { graphBytes, entry } = model;
  const key = { graphSha256: filesSha256(model), deviceKind: kind, runtime: model.precision, threads };
  const measured = kind === "cpu" ? await store.read(key) : undefined;
  const memory: MemoryModel = measured ?? estimateMemory({ graphBytes, maxTokens: entry.maxTokens, kind });
  return { memory, key, isMeasured: measured !== undefined };
}

/** The kind of the devices that a source grants: that of its first. */
function kindOf({ devices: [first] }: LeaseSourceState): DeviceKind {
  if (!first)
    throw new RaglineError("FAILED_PRECONDITION", "LEASE_NO_DEVICE", "the lease broker has no device; give it one");
  return first.kind;
}

/** Devices that a stream takes at most: its part of them where models compute side by side. */
function deviceShare({ devices }: LeaseSourceState, { maxDevices, sideBySide }: StageOpen): number {
  const share = sideBySide > 1 ? Math.max(1, Math.ceil(devices.length / sideBySide)) : Infinity;
  return Math.min(share, devices.length, maxDevices || Infinity);
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
  const tell = stageEvents(options.onEvent);
  const ended = new AbortController();
  whenAborted(signal, () => ended.abort(signal.reason));
  let session: ModelSession | undefined;
  let leased: LeasedWorkers | undefined;
  try {
    const broker = open.leaseBroker ? remoteLeases(open.leaseBroker) : options.leases;
    const waitMs = open.leaseWaitMs || defaultLeaseWaitMs;
    const source = observedLeases(outlastRestarts(broker, waitMs), options.observer, tell);
    const granting = await source.describe(ended.signal);
    const kind = kindOf(granting);
    const precision = precisionFor(open.precision, entry, kind);
    describeModel(entry, precision);
    const model = await openFiles(entry, precision, options, ended.signal);
    const tokenizer = await TextTokenizer.open(model.tokenizerPath);
    const threads = options.threadsPerWorker ?? 1;
    const store = new MemoryModelStore(options.memoryModelsDir || undefined);
    const { memory, key, isMeasured } = await memoryOf(model, store, threads, kind);
    const computing = newSession(model, open, options, tell);
    session = computing;
    const sizing = new WorkerSizing({
      kind,
      memory,
      maxTokens: entry.maxTokens,
      sharesCalls: computing.sharesCalls,
      ...(options.workers ? { workers: options.workers } : {}),
      ...(open.maxBatchTokens ? { maxBatchTokens: open.maxBatchTokens } : {}),
    });
    const startedAt = performance.now();
    const opened = await LeasedWorkers.open({
      session: computing,
      source,
      request: { stage: stageNames[stage], model: entry.key, priority: open.leasePriority },
      sizing,
      waitMs,
      threadsPerWorker: threads,
      signal: ended.signal,
      maxDevices: deviceShare(granting, open),
      onStranded: (error) => ended.abort(error),
    });
    const { workers, first, group } = opened;
    leased = workers;
    if (!isMeasured && kind === "cpu") {
      const measured = await calibrateSession(computing, group, entry.maxTokens);
      sizing.calibrate(measured);
      await store.write(key, measured);
    }
    workers.resize();
    const shutDown = () => workers.close();
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= shutDown());
    // At once: the handler may be in the middle of a long batch, or wait for a request that never comes.
    whenAborted(ended.signal, () => void close());
    const tally = new StageTally(stage, entry.key);
    reportFallbacks(granting.fallbacks, tally, tell);
    const hydrateSeconds = Math.max(0, performance.now() - startedAt - first.waitMs) / 1000;
    tell("rag.model.open", {
      "rag.model": entry.key,
      "rag.device": first.device,
      "rag.workers": sizing.workers,
      "rag.hydrate_seconds": hydrateSeconds,
    });
    return {
      entry,
      session: computing,
      workers,
      queue: options.queue,
      tokenizer,
      tally,
      spans: new BatchSpans(stageNames[stage], entry.key),
      tell,
      observer: options.observer,
      get batchesAhead() {
        return 2 * computing.pids.length + 2;
      },
      ended: ended.signal,
      ready: {
        model: entry.key,
        huggingFaceId: entry.huggingFaceId,
        precision: onWire[precision],
        device: first.device,
        deviceKind: kind,
        workers: sizing.workers,
        threadsPerWorker: threads,
        maxTokens: entry.maxTokens,
        dimension: entry.dimension,
        leaseId: first.id,
        leaseWaitSeconds: first.waitMs / 1000,
        hydrateSeconds,
        files: model.files.map(({ name, bytes: size, sha256 }) => ({ name, bytes: BigInt(size), sha256 })),
        license: entry.license,
        runtime: computing.runtime,
      },
      close,
    };
  } catch (error) {
    await (leased ?? session)?.close();
    throw ended.signal.aborted ? ended.signal.reason : toStageError(error);
  }
}
