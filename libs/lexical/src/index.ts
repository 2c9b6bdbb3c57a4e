export { Bm25, type Bm25Options, countWords, type LexicalVector } from "./bm25.js";
export { termId } from "./terms.js";
