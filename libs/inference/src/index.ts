export { calibrateSession } from "./calibrate-session.js";
export { CrossEncoder, type CrossEncoderResult, type Reranker } from "./cross-encoder.js";
export { cudaProblem } from "./cuda-problem.js";
export {
  DenseEncoder,
  type DenseEncoderOptions,
  type DenseResult,
  type InputType,
  type LongText,
} from "./dense-encoder.js";
export { InferenceError, type InferenceFailure } from "./inference-error.js";
export { mapInOrder } from "./map-in-order.js";
export { estimateMemory, gpuMargin, type MemoryModel, tokensWithin, workerBytes } from "./memory-model.js";
export { MemoryModelStore } from "./memory-model-store.js";
export {
  ModelSession,
  type ModelSessionOptions,
  type OpenSessionOptions,
  type SessionStats,
  type SessionWorkers,
  type TextFailure,
} from "./model-session.js";
export { openReranker, openSparseEncoder } from "./open-encoder.js";
export { SparseEncoder, type SparseResult, type SparseTextEncoder } from "./sparse-encoder.js";
export type { Resize } from "./token-budget.js";
export type { DoneWork, WorkObserver } from "./work-observer.js";
export type { WorkerGroup } from "./worker-group.js";
export type { WorkerDevice } from "./worker-protocol.js";
