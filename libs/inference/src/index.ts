export { CrossEncoder, type CrossEncoderResult } from "./cross-encoder.js";
export { DenseEncoder, type DenseResult, type InputType } from "./dense-encoder.js";
export { InferenceError, type InferenceFailure } from "./inference-error.js";
export { mapInOrder } from "./map-in-order.js";
export { ModelSession, type ModelSessionOptions, type SessionStats } from "./model-session.js";
export { SparseEncoder, type SparseResult } from "./sparse-encoder.js";
export { TextTokenizer, type TokenSequence } from "./text-tokenizer.js";
