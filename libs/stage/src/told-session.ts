import type { StageOpen } from "@ragline/contracts";
import type { DeviceKind } from "@ragline/gpu-lease";
import { ModelSession } from "@ragline/inference";
import type { VerifiedModel } from "@ragline/models";
import { noteWork } from "./batch-spans.js";
import { activeTraceparent, type StageEvent } from "./stage-events.js";
import type { StageOptions } from "./stage-options.js";
import { defaultBatchTokens } from "./worker-sizing.js";

// Of the first calls where the caller set no limit; they grow from there while larger ones are faster.
const firstBatchTokens = 2048;

/** A session without workers as yet, which tells what happens to it: to the observer, and as events of the stream. */
export function toldSession(
  model: VerifiedModel,
  open: StageOpen,
  { onWorkerLost, observer }: StageOptions,
  tell: StageEvent,
  deviceKind: DeviceKind,
): ModelSession {
  return new ModelSession(model, {
    deviceKind,
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
