export { Bm25, type Bm25Options, countWords, type LexicalVector } from "./bm25.js";
export { stemWord, termId } from "./terms.js";
