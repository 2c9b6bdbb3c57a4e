import type { MessageInitShape } from "@bufbuild/protobuf";
import { OutcomeReason, type StageOpen, type StageReadySchema } from "@ragline/contracts";
import {
  type DeviceFallback,
  type LeaseDeviceState,
  type LeaseSourceState,
  remoteLeases,
  toOutcomeSource,
} from "@ragline/gpu-lease";
import { calibrateSession, gpuMargin, MemoryModelStore, type ModelSession } from "@ragline/inference";
import { hasGraph, type ModelEntry } from "@ragline/models";
import { RaglineError } from "@ragline/rpc";
import { TextTokenizer } from "@ragline/tokenizer";
import { BatchSpans } from "./batch-spans.js";
import { LeasedWorkers } from "./leased-workers.js";
import { observedLeases } from "./observed-leases.js";
import { outlastRestarts } from "./outlast-restarts.js";
import { toStageError } from "./stage-error.js";
import { type StageEvent, stageEvents } from "./stage-events.js";
import {
  describeModel,
  findStageModel,
  openModelFiles,
  precisionFor,
  precisionNumbers,
  stageNames,
  workerMemory,
} from "./stage-model.js";
import type { StageObserver } from "./stage-observer.js";
import type { StageOptions } from "./stage-options.js";
import { StageTally } from "./stage-tally.js";
import type { TokenQueue } from "./token-queue.js";
import { toldSession } from "./told-session.js";
import { WorkerSizing } from "./worker-sizing.js";

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
// A GPU's calls are joined from those of several batches.
const gpuBatchesPerWorker = 14;
// A GPU's memory is told in MiB, and is taken from the driver in blocks.
const gpuProbeTokens = 4096;

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

/** The first device of a source, whose kind is that of all. */
function firstDevice({ devices: [first] }: LeaseSourceState): LeaseDeviceState {
  if (!first)
    throw new RaglineError("FAILED_PRECONDITION", "LEASE_NO_DEVICE", "the lease broker has no device; give it one");
  return first;
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
    const { kind, hardware } = firstDevice(granting);
    const precision = precisionFor(open.precision, entry, kind);
    describeModel(entry, precision);
    const model = await openModelFiles(entry, precision, options, ended.signal);
    const tokenizer = await TextTokenizer.open(model.tokenizerPath);
    const threads = options.threadsPerWorker ?? 1;
    const store = new MemoryModelStore(options.memoryModelsDir || undefined);
    const { memory, key, isMeasured } = await workerMemory(model, store, { threads, kind, hardware });
    const computing = toldSession(model, open, options, tell, kind);
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
    const { workers, first, group, measurePeak } = opened;
    leased = workers;
    if (!isMeasured && kind !== "simulated") {
      const probeTokens = Math.min(gpuProbeTokens, sizing.tokensWithin(first.bytes));
      const measured = await calibrateSession(computing, group, {
        maxTokens: entry.maxTokens,
        ...(kind === "cuda" ? { probeTokens, peakBytes: measurePeak, margin: gpuMargin } : {}),
      });
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
        return (kind === "cuda" ? gpuBatchesPerWorker : 2) * computing.pids.length + 2;
      },
      ended: ended.signal,
      ready: {
        model: entry.key,
        huggingFaceId: entry.huggingFaceId,
        precision: precisionNumbers[precision],
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
