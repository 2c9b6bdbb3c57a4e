import { type DeviceRequest, type LeaseDeviceState, type LeaseSource, leaseSource } from "@ragline/gpu-lease";
import { cudaProblem } from "@ragline/inference";
import { type ModelSettings, ModelStore, readModels, useModels } from "@ragline/models";
import type { StageEvent } from "./stage-events.js";
import type { StageObserver } from "./stage-observer.js";
import { TokenQueue } from "./token-queue.js";

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

/** What a stage service knows when it starts. */
export interface StageContext {
  /** Its settings. */
  readonly config: Pick<StageOptions, "workers" | "threadsPerWorker" | "memoryModelsDir"> &
    DeviceRequest &
    ModelSettings & { readonly leaseBroker: string | null; readonly maxQueueTokens: number };
  readonly log: Record<"debug" | "info" | "warn", (facts: object, message: string) => void>;
  readonly metrics: StageObserver & {
    setQueueDepth(batches: number): void;
    countRefusal(): void;
    countLostWorker(): void;
  };
  readonly allMetrics: { watchCaps(devices: () => readonly LeaseDeviceState[]): void };
}

/** What is worth a line in the log; the loss of a worker has one of its own. */
const levels: Readonly<Record<string, "debug" | "info" | "warn">> = {
  "rag.lease.wait": "debug",
  "rag.lease.granted": "info",
  "rag.lease.refused": "warn",
  "rag.lease.shrunk": "debug",
  "rag.lease.lost": "warn",
  "rag.lease.released": "info",
  "rag.model.open": "info",
  "rag.model.done": "info",
  "rag.batch.resize": "debug",
  "rag.oom": "warn",
  "rag.fallback": "warn",
};

/**
 * How a stage service runs its models, from its settings: one queue and one ledger for all of its streams.
 * @throws RaglineError INVALID_ARGUMENT for devices or a broker that cannot be read.
 * @throws ConfigError naming what is wrong with the user's own models.
 */
export function stageOptions({ config, log, metrics, allMetrics }: StageContext): StageOptions {
  const leases = leaseSource({ ...config, cudaProblem });
  // A broker elsewhere tells its devices by itself.
  allMetrics.watchCaps(() => leases.devices ?? []);
  useModels(readModels(config.modelsFile));
  return {
    ...config,
    models: new ModelStore(config),
    onPull: (facts, message) => log.info(facts, message),
    observer: metrics,
    queue: new TokenQueue({
      maxTokens: config.maxQueueTokens,
      onDepth: (batches) => metrics.setQueueDepth(batches),
      onRefused: () => metrics.countRefusal(),
    }),
    leases,
    onEvent: (name, attributes = {}) => {
      const level = levels[name];
      if (level) log[level](attributes, name.replace(/^rag\./, "").replaceAll(".", " "));
    },
    onWorkerLost: (detail) => {
      metrics.countLostWorker();
      log.warn(detail, "a worker process died; a new one takes its place");
    },
  };
}
