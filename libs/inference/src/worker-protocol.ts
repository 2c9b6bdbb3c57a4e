/** What becomes of a vector. */
interface VectorForm {
  /** How many of its numbers are kept, from the first on. */
  readonly dimension: number;
  /** Whether it is divided by its length then. */
  readonly normalise: boolean;
}

/** How the graph's output becomes one result per row. */
export type OutputHead =
  | ({ readonly kind: "hidden-states"; readonly pooling: "cls" | "mean" | "last-token" } & VectorForm)
  | ({ readonly kind: "pooled" } & VectorForm)
  | { readonly kind: "sparse-weights" | "sparse-logits" | "score" | "attentions" };

/** Names of the graph's inputs; null for what it does not take. */
export interface GraphInputs {
  readonly ids: string;
  readonly attentionMask: string | null;
  readonly tokenTypes: string | null;
  /** Positions counted from the first token that is no padding. */
  readonly positionIds: string | null;
  /** Inputs that always have the same value. */
  readonly constants: Readonly<Record<string, number | readonly number[]>>;
  readonly paddingSide: "right" | "left";
}

/** What an entry says of a graph. */
export interface GraphExpectation {
  readonly inputs: GraphInputs;
  /** Name of the output that is read. */
  readonly output: string;
  readonly head: OutputHead;
  /** Numbers in the last dimension of the output; null where it is the length of the text. */
  readonly width: number | null;
}

/** What a worker computes on; a simulated device is a ledger over the CPU that runs out of memory at a budget. */
export type WorkerDevice =
  | { readonly kind: "cpu" }
  | {
      readonly kind: "cuda";
      /** The GPU by its UUID, which the worker then sees alone; absent: the first that its environment leaves it. */
      readonly uuid?: string;
    }
  | { readonly kind: "simulated"; readonly options: Readonly<Record<string, unknown>> };

/** What a worker process needs to open its session. */
export interface WorkerInit {
  readonly type: "init";
  readonly graphPath: string;
  readonly threads: number;
  /** What the registry says of the graph. */
  readonly graph: GraphExpectation;
  /** Whether every matrix is multiplied in floating point, whatever its weights are kept as. */
  readonly isFloat: boolean;
  /** Size of the graph and its weights, which a simulated device counts. */
  readonly graphBytes: number;
  readonly device: WorkerDevice;
  /** Token of the lease that the worker computes under; work under an older one is refused. */
  readonly fencingToken: number;
}

/** One call of the model: `rows` token sequences, each padded to `columns`. */
export interface ModelCall {
  readonly rows: number;
  readonly columns: number;
  /** Token ids, row after row; what is beyond a row's length means nothing. */
  readonly ids: Int32Array;
  /** Tokens of each row without padding. */
  readonly lengths: Int32Array;
  /** For each row, the position from which on tokens are of the second type; absent when all are of the first. */
  readonly secondTypeFrom?: Int32Array;
  /** What the graph is given in the places without a token. @default 0 */
  readonly padId?: number;
}

/** Some calls that travel together, so that short ones do not pay for a message each. */
export interface WorkerJob {
  readonly type: "job";
  readonly id: number;
  readonly fencingToken: number;
  readonly calls: readonly ModelCall[];
  /** W3C `traceparent` of whoever asked. */
  readonly traceparent?: string;
}

/** The pool lives and holds its lease: told every second. */
export interface WorkerBeat {
  readonly type: "beat";
}

/** How often a worker hears that its pool lives. */
export const beatMs = 1000;

/** The result of one call: a matrix (dense: rows x width; score: rows x 1), or compressed sparse rows. */
export type CallResult =
  | { readonly kind: "matrix"; readonly values: Float32Array }
  | {
      readonly kind: "sparse";
      readonly rowLengths: Uint32Array;
      readonly indices: Uint32Array;
      readonly values: Float32Array;
    };

/** Memory of a worker: resident on a CPU, of the ledger on a simulated device. A GPU's is measured from outside. */
export interface WorkerMemory {
  readonly usedBytes: number;
  /** The most so far. */
  readonly peakBytes: number;
}

/** What a worker process tells its pool. */
export type WorkerReply =
  | { readonly type: "ready"; readonly runtime: string; readonly memory: WorkerMemory }
  | { readonly type: "refused"; readonly message: string }
  | {
      readonly type: "done";
      readonly id: number;
      readonly results: readonly CallResult[];
      readonly memory: WorkerMemory;
      /** When they began, in milliseconds since the epoch. */
      readonly startedAtMs: number;
      /** Time that the calls took. */
      readonly seconds: number;
    }
  | { readonly type: "failed"; readonly id: number; readonly message: string; readonly memory: WorkerMemory };
