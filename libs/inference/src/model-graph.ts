import type { GraphModelEntry, VerifiedModel } from "@ragline/models";
import type { GraphExpectation, OutputHead } from "./worker-protocol.js";

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

/**
 * Whether texts can share a call and keep their bits. Graphs of lower precision may take scales over the whole call; what
 * is computed from one row per text (a classifier, a dense layer after pooling) has another order of sums with one row than
 * with more.
 */
export function canShareCalls({ entry, precision }: VerifiedModel): boolean {
  if (precision !== "fp32") return false;
  const { head } = entry.output;
  return head !== "pooled" && !(head === "logits" && entry.loader === "cross_encoder");
}
