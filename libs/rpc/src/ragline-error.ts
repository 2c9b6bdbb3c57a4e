import { status } from "@grpc/grpc-js";

/** Name of a gRPC status other than OK, such as "INVALID_ARGUMENT". */
export type StatusName = Exclude<keyof typeof status, "OK">;

/** One field of a request that is wrong, as in `google.rpc.BadRequest`. */
export interface FieldViolation {
  /** Path of the field, such as "open.model". */
  readonly field: string;
  /** One sentence: what is wrong with it. */
  readonly description: string;
}

/** What a {@link RaglineError} carries beside its code, reason and sentence. */
export interface RaglineErrorOptions {
  /** Facts for a program: short names and values. Never text of a chunk or a query. @default {} */
  readonly details?: Readonly<Record<string, string>>;
  /** What led to it; stays inside the process that threw. @default none */
  readonly cause?: unknown;
  /** How long to wait before a new try, sent with RESOURCE_EXHAUSTED and UNAVAILABLE. @default 1000 */
  readonly retryDelayMs?: number;
  /** The fields at fault, sent with INVALID_ARGUMENT. @default [] */
  readonly violations?: readonly FieldViolation[];
}

/** How long a caller should wait where the thrower did not say, in milliseconds. */
export const defaultRetryDelayMs = 1000;

/**
 * The one error of Ragline: what crosses a service's border, in either direction.
 * Its message is a sentence for a person: what was wrong, where, and what to do.
 *
 * @example throw new RaglineError("INVALID_ARGUMENT", "MODEL_UNKNOWN", `no model "${name}"; known: ${known}`)
 */
export class RaglineError extends Error {
  override readonly name = "RaglineError";
  /** The gRPC status code, a number. */
  readonly code: status;
  /** The reason in UPPER_SNAKE_CASE, stable across versions. */
  readonly reason: string;
  readonly details: Readonly<Record<string, string>>;
  readonly retryDelayMs: number;
  readonly violations: readonly FieldViolation[];

  constructor(code: StatusName, reason: string, message: string, options: RaglineErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.code = status[code];
    this.reason = reason;
    this.details = options.details ?? {};
    this.retryDelayMs = options.retryDelayMs ?? defaultRetryDelayMs;
    this.violations = options.violations ?? [];
  }

  /** The code's name, such as "INVALID_ARGUMENT". */
  get codeName(): StatusName {
    return status[this.code] as StatusName;
  }
}
