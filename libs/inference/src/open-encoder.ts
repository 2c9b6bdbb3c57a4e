import type { TextTokenizer } from "@ragline/tokenizer";
import { AttentionEncoder } from "./attention-encoder.js";
import { BiEncoder } from "./bi-encoder.js";
import { CrossEncoder, type Reranker } from "./cross-encoder.js";
import type { ModelSession } from "./model-session.js";
import { SparseEncoder, type SparseTextEncoder } from "./sparse-encoder.js";

/** The sparse encoder of a model's kind. */
export function openSparseEncoder(session: ModelSession, tokenizer: TextTokenizer): SparseTextEncoder {
  return session.model.entry.loader === "attention-sparse"
    ? new AttentionEncoder(session, tokenizer)
    : new SparseEncoder(session, tokenizer);
}

/** The reranker of a model's kind. */
export function openReranker(session: ModelSession, tokenizer: TextTokenizer): Reranker {
  return session.model.entry.loader === "bi_encoder"
    ? new BiEncoder(session, tokenizer)
    : new CrossEncoder(session, tokenizer);
}
