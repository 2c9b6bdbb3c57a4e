import { checkDeviceRequest, type DeviceRequest, LocalLeases, resolveDevices } from "@ragline/gpu-lease";
import { cudaProblem } from "@ragline/inference";
import type { StageObserver } from "./stage-observer.js";
import type { StageOptions } from "./stage-session.js";
import { TokenQueue } from "./token-queue.js";

/** What a stage service knows when it starts. */
export interface StageContext {
  /** Its settings. */
  readonly config: Pick<StageOptions, "workers" | "threadsPerWorker" | "modelsDir" | "memoryModelsDir"> &
    DeviceRequest & { readonly maxQueueTokens: number };
  readonly log: { warn(facts: object, message: string): void };
  readonly metrics: StageObserver & {
    setQueueDepth(batches: number): void;
    countRefusal(): void;
    countLostWorker(): void;
  };
  readonly allMetrics: { watchCaps(devices: () => LocalLeases["devices"]): void };
}

/**
 * How a stage service runs its models, from its settings: one queue and one ledger for all of its streams.
 * @throws RaglineError INVALID_ARGUMENT for devices that cannot be read.
 */
export function stageOptions({ config, log, metrics, allMetrics }: StageContext): StageOptions {
  checkDeviceRequest(config);
  const leases = new LocalLeases(() => resolveDevices({ ...config, cudaProblem }));
  allMetrics.watchCaps(() => leases.devices);
  return {
    ...config,
    observer: metrics,
    queue: new TokenQueue({
      maxTokens: config.maxQueueTokens,
      onDepth: (batches) => metrics.setQueueDepth(batches),
      onRefused: () => metrics.countRefusal(),
    }),
    leases,
    onWorkerLost: (detail) => {
      metrics.countLostWorker();
      log.warn(detail, "a worker process died; a new one takes its place");
    },
  };
}
