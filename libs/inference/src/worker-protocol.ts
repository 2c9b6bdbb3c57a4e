/** How the graph's output becomes one result per row. */
export type OutputHead =
  | { readonly kind: "dense"; readonly pooling: "cls" | "mean" }
  | { readonly kind: "sparse" }
  | { readonly kind: "score" };

/** What a worker process needs to open its session. */
export interface WorkerInit {
  readonly type: "init";
  readonly graphPath: string;
  readonly threads: number;
  /** Name of the output that is read. */
  readonly output: string;
  readonly head: OutputHead;
}

/** One call of the model: `rows` token sequences, each padded to `columns`. */
export interface ModelCall {
  readonly rows: number;
  readonly columns: number;
  /** Token ids, row after row, padded with 0. */
  readonly ids: Int32Array;
  /** Tokens of each row without padding. */
  readonly lengths: Int32Array;
  /** For each row, the position from which on tokens are of the second type; absent when all are of the first. */
  readonly secondTypeFrom?: Int32Array;
}

/** Some calls that travel together, so that short ones do not pay for a message each. */
export interface WorkerJob {
  readonly type: "job";
  readonly id: number;
  readonly calls: readonly ModelCall[];
}

/** The result of one call: a matrix (dense: rows x width; score: rows x 1), or compressed sparse rows. */
export type CallResult =
  | { readonly kind: "matrix"; readonly values: Float32Array }
  | {
      readonly kind: "sparse";
      readonly rowLengths: Uint32Array;
      readonly indices: Uint32Array;
      readonly values: Float32Array;
    };

/** What a worker process tells its pool. */
export type WorkerReply =
  | { readonly type: "ready"; readonly runtime: string; readonly residentBytes: number }
  | { readonly type: "refused"; readonly message: string }
  | {
      readonly type: "done";
      readonly id: number;
      readonly results: readonly CallResult[];
      readonly residentBytes: number;
    }
  | { readonly type: "failed"; readonly id: number; readonly message: string };
