import type { GraphModelEntry, VerifiedModel } from "@ragline/models";
import type { CallSharing } from "./batch-plan.js";
import type { GraphExpectation, OutputHead, WorkerDevice } from "./worker-protocol.js";

function headOf({ output, pooling = "mean", dimension, normalise, loader }: GraphModelEntry): OutputHead {
  switch (output.head) {
    case "hidden-states":
      return { kind: "hidden-states", pooling, dimension, normalise };
    case "pooled":
      return { kind: "pooled", dimension, normalise };
    case "logits":
      return { kind: loader === "splade" ? "sparse-logits" : "score" };
    default:
      return { kind: output.head };
  }
}

function widthOf({ output, loader, dimension, nativeDimension, score }: GraphModelEntry): number | null {
  if (output.head === "attentions") return null;
  return loader === "cross_encoder" ? score.logits : (nativeDimension ?? dimension);
}

/** What the entry says of its graph. */
export function expectedGraph(entry: GraphModelEntry): GraphExpectation {
  const { inputs, output, tokenizer } = entry;
  return {
    inputs: { ...inputs, paddingSide: tokenizer.paddingSide },
    output: output.name,
    head: headOf(entry),
    width: widthOf(entry),
  };
}

/** Whether every matrix of a graph of this precision is multiplied in floating point. */
export function isFloat(precision: VerifiedModel["precision"]): boolean {
  return precision === "fp32" || precision === "fp16";
}

/**
 * Which texts can share a call. On a CPU those that keep their bits: graphs of lower precision may take scales over the
 * whole call; what is computed from one row per text (a classifier, a dense layer after pooling) has another order of sums
 * with one row than with more. On a GPU the kernels are chosen by the shape of the call, so the last bits depend on it
 * anyhow, and only scales over the whole call must not be shared.
 */
export function callSharing({ entry, precision }: VerifiedModel, kind: WorkerDevice["kind"]): CallSharing {
  if (kind === "cuda") return isFloat(precision) ? "any-length" : "none";
  const { head } = entry.output;
  const hasOneRowPerText = head === "pooled" || (head === "logits" && entry.loader === "cross_encoder");
  return precision === "fp32" && !hasOneRowPerText ? "same-length" : "none";
}
