export { type BatchCounts, BatchSpans } from "./batch-spans.js";
export { inputTypeOf, itemFailures, streamBatches, summarise } from "./stage-batch.js";
export type { StageObserver } from "./stage-observer.js";
export { type StageContext, stageOptions } from "./stage-options.js";
export { describeModel, findStageModel, openStage, type StageOptions, type StageSession } from "./stage-session.js";
export { stageSettings } from "./stage-settings.js";
export { StageTally } from "./stage-tally.js";
export { takeOpen } from "./take-open.js";
export { TokenQueue, type TokenQueueOptions } from "./token-queue.js";
