/** Names of the ways in which a text becomes a result. */
export const loaders = ["encoder", "splade", "bm25", "attention-sparse", "cross_encoder", "bi_encoder"] as const;

interface LoaderRule {
  readonly stage: "dense" | "sparse" | "rerank";
  /** What the graph's output may hold; nothing where no graph runs. */
  readonly heads: readonly string[];
}

/** What a loader demands of an entry. */
export const loaderRules: Readonly<Record<(typeof loaders)[number], LoaderRule>> = {
  encoder: { stage: "dense", heads: ["hidden-states", "pooled"] },
  splade: { stage: "sparse", heads: ["sparse-weights", "logits"] },
  bm25: { stage: "sparse", heads: [] },
  "attention-sparse": { stage: "sparse", heads: ["attentions"] },
  cross_encoder: { stage: "rerank", heads: ["logits"] },
  bi_encoder: { stage: "rerank", heads: ["hidden-states", "pooled"] },
};
