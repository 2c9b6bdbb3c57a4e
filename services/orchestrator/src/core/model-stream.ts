import type { StageReady, StageSummary } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";

/** An answer on a stage's stream: `ready` first, then results, then `summary`. */
export interface StageReply {
  readonly kind: { readonly case: string | undefined; readonly value?: unknown };
}

type ResultOf<Reply extends StageReply> =
  Extract<Reply["kind"], { case: "vectors" | "scores" }> extends { value: infer Result } ? Result : never;

/** What a model did in one run. */
export interface ModelRun {
  readonly ready: StageReady;
  readonly summary: StageSummary;
}

/**
 * Reads a stage's stream to its end.
 * @throws RaglineError when the stream fails, or ends without its summary.
 */
export async function readModelStream<Reply extends StageReply>(
  replies: AsyncIterable<Reply>,
  onReady: (ready: StageReady) => void,
  onResult: (result: ResultOf<Reply>) => Promise<void>,
): Promise<ModelRun> {
  let ready: StageReady | undefined;
  let summary: StageSummary | undefined;
  for await (const { kind } of replies) {
    if (kind.case === "ready") {
      ready = kind.value as StageReady;
      onReady(ready);
    } else if (kind.case === "summary") {
      summary = kind.value as StageSummary;
    } else if (kind.case !== undefined) {
      await onResult(kind.value as ResultOf<Reply>);
    }
  }
  if (!ready || !summary)
    throw new RaglineError("INTERNAL", "STREAM_CUT", "a stage ended its stream without a summary; see its log");
  return { ready, summary };
}
