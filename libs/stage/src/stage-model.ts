import { createHash } from "node:crypto";
import { trace } from "@opentelemetry/api";
import { Precision, Stage } from "@ragline/contracts";
import type { DeviceKind } from "@ragline/gpu-lease";
import { estimateMemory, type MemoryModel, type MemoryModelStore } from "@ragline/inference";
import {
  choosePrecision,
  findModel,
  type GraphModelEntry,
  type ModelEntry,
  ModelStore,
  type Precision as PrecisionName,
  type VerifiedModel,
} from "@ragline/models";
import { toStageError } from "./stage-error.js";
import type { StageOptions } from "./stage-options.js";

/** Names of the stages that compute with models. */
export const stageNames = { [Stage.DENSE]: "dense", [Stage.SPARSE]: "sparse", [Stage.RERANK]: "rerank" } as const;

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

/** The precisions in the words of the contract. */
export const precisionNumbers = {
  fp32: Precision.FP32,
  fp16: Precision.FP16,
  int8: Precision.INT8,
  q4: Precision.Q4,
} as const;

/** What was asked for, or what AUTO is for this model on such a device. */
export function precisionFor(asked: Precision, { graphs }: GraphModelEntry, kind: DeviceKind): PrecisionName {
  const available = Object.keys(graphs) as PrecisionName[];
  // The CUDA provider has no kernels for the int8 operators of these graphs, and would compute them on the CPU.
  return precisionOf[asked] ?? (kind === "cuda" && available.includes("fp32") ? "fp32" : choosePrecision(available));
}

/** Files of the model, here and checked. What has to be pulled is told when it begins. */
export function openModelFiles(
  entry: GraphModelEntry,
  precision: PrecisionName,
  options: Pick<StageOptions, "models" | "onPull">,
  signal: AbortSignal,
): Promise<VerifiedModel> {
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

/** What one worker needs, and where that is kept. */
export interface WorkerMemory {
  readonly memory: MemoryModel;
  /** Under which the store keeps what is measured. */
  readonly key: Parameters<MemoryModelStore["read"]>[0];
  /** Whether it was measured, here or before; else it is a careful guess. */
  readonly isMeasured: boolean;
}

/** Where a worker computes. */
export interface WorkerPlace {
  readonly kind: DeviceKind;
  /** What the device is, such as "NVIDIA T4"; empty where its kind says all. */
  readonly hardware: string;
  readonly threads: number;
}

/** What one worker needs on a kind of device. */
export async function workerMemory(
  model: VerifiedModel,
  store: MemoryModelStore,
  { threads, kind, hardware }: WorkerPlace,
): Promise<WorkerMemory> {
  const { graphBytes, entry } = model;
  const outputWidth = entry.stage === "sparse" ? entry.dimension : 0;
  const deviceKind = hardware ? `${kind} ${hardware}` : kind;
  const key = { graphSha256: filesSha256(model), deviceKind, runtime: model.precision, threads };
  const measured = kind === "simulated" ? undefined : await store.read(key);
  const memory: MemoryModel = measured ?? estimateMemory({ graphBytes, maxTokens: entry.maxTokens, outputWidth, kind });
  return { memory, key, isMeasured: measured !== undefined };
}
