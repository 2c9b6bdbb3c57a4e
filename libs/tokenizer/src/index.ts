export { type PairOptions, TextTokenizer, type TokenSequence, truncatedPositions } from "./text-tokenizer.js";
export { TokenizerError } from "./tokenizer-error.js";
