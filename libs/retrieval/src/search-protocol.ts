import type { DenseSearchOptions } from "./dense-share.js";
import type { ScoredRow } from "./top-k.js";

/** What a thread is asked. */
export type SearchRequest =
  | { readonly type: "set"; readonly firstRow: number; readonly values: Float32Array }
  | { readonly type: "search"; readonly queries: Float32Array; readonly options: DenseSearchOptions };

/** A thread's answer: one for each request, in their order. */
export type SearchReply =
  | { readonly type: "done" }
  | { readonly type: "found"; readonly lists: ScoredRow[][] }
  | { readonly type: "not-finite"; readonly row: number; readonly query: number; readonly score: number };
