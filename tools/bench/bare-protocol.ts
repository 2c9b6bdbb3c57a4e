import type { TokenSequence } from "@ragline/inference";
import type { Batch } from "./batching.js";

/** What a worker of the bare loop needs to open its session; it gets all texts at once, tokenised, before the clock starts. */
export interface BareOpen {
  readonly type: "open";
  readonly graphPath: string;
  readonly output: string;
  readonly threads: number;
  readonly sequences: readonly TokenSequence[];
}

/** Some calls of the model, one for each batch. */
export interface BareWork {
  readonly type: "work";
  readonly batches: readonly Batch[];
}

/** What a worker answers: `ready` to `open`, `done` to `work`. */
export type BareReply = { readonly type: "ready" | "done" } | { readonly type: "failed"; readonly message: string };
