import type { VerifiedModel } from "@ragline/models";
import { planCalls } from "./batch-plan.js";
import { InferenceError } from "./inference-error.js";
import type { TokenSequence } from "./text-tokenizer.js";
import { WorkerPool, type WorkerPoolOptions } from "./worker-pool.js";
import type { CallResult, ModelCall, OutputHead } from "./worker-protocol.js";

/** How a model is run. */
export interface ModelSessionOptions {
  /** Worker processes, each with a session of its own. @default one per available core */
  readonly workers?: number;
  /** Threads of each session. @default 1 */
  readonly threadsPerWorker?: number;
  /**
   * Most padded tokens in one fp32 call; int8 graphs and cross encoders always get one text per call.
   * @default 1, which is one text per call: the fastest on a CPU
   */
  readonly maxBatchTokens?: number;
  /** Most texts in one fp32 call. @default as many as the tokens allow */
  readonly maxBatchItems?: number;
  /** Told of each call of the model: its texts and its padded tokens. */
  readonly onCall?: (items: number, paddedTokens: number) => void;
  /** Told each time a worker process died and was replaced. */
  readonly onWorkerLost?: WorkerPoolOptions["onWorkerLost"];
  /** Gives up opening the model when it aborts; later it means nothing. @default none */
  readonly signal?: AbortSignal;
}

/** Counts of what a session has done so far. */
export interface SessionStats {
  readonly calls: number;
  readonly tokens: number;
  readonly paddedTokens: number;
  readonly peakBytes: number;
  readonly workersLost: number;
}

// Short texts travel together up to this many tokens, so that a message costs little beside the computing.
const jobTokens = 512;

/**
 * Whether texts can share a call and keep their bits. An int8 graph takes its scales over the whole call; the classifier
 * of a cross encoder has one row per text, and a matrix of one row is multiplied in another order than one of two.
 */
function canShareCalls({ entry, precision }: VerifiedModel): boolean {
  return precision === "fp32" && entry.loader !== "cross_encoder";
}

function headOf({ entry }: VerifiedModel): OutputHead {
  if (entry.loader === "encoder") return { kind: "dense", pooling: entry.pooling ?? "mean" };
  return { kind: entry.loader === "splade" ? "sparse" : "score" };
}

function packCall(sequences: readonly TokenSequence[], positions: readonly number[], columns: number): ModelCall {
  const rows = positions.length;
  const ids = new Int32Array(rows * columns);
  const lengths = new Int32Array(rows);
  const secondTypeFrom = new Int32Array(rows);
  let typed = false;
  positions.forEach((position, row) => {
    const sequence = sequences[position];
    if (!sequence) throw new RangeError(`no sequence at position ${position}`);
    ids.set(sequence.ids, row * columns);
    lengths[row] = sequence.ids.length;
    secondTypeFrom[row] = sequence.secondTypeFrom ?? sequence.ids.length;
    typed ||= sequence.secondTypeFrom !== undefined;
  });
  return { rows, columns, ids, lengths, ...(typed ? { secondTypeFrom } : {}) };
}

/** A verified model that computes, in worker processes, for as long as it is open. */
export class ModelSession {
  readonly model: VerifiedModel;
  readonly #pool: WorkerPool;
  readonly #maxBatchTokens: number;
  readonly #maxBatchItems: number;
  readonly #onCall: ModelSessionOptions["onCall"];
  #calls = 0;
  #tokens = 0;
  #paddedTokens = 0;

  private constructor(model: VerifiedModel, pool: WorkerPool, options: ModelSessionOptions) {
    this.model = model;
    this.#pool = pool;
    this.#maxBatchTokens = options.maxBatchTokens ?? 1;
    this.#maxBatchItems = options.maxBatchItems ?? Infinity;
    this.#onCall = options.onCall;
  }

  /**
   * Opens the model in its worker processes.
   * @throws InferenceError when it cannot be opened, or "closed" when the signal aborts.
   */
  static async open(
    model: VerifiedModel,
    options: ModelSessionOptions & { readonly workers: number },
  ): Promise<ModelSession> {
    const pool = await WorkerPool.start({
      model: model.entry.key,
      workers: options.workers,
      threads: options.threadsPerWorker ?? 1,
      graphPath: model.graphPath,
      output: model.entry.output,
      head: headOf(model),
      ...(options.onWorkerLost ? { onWorkerLost: options.onWorkerLost } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    return new ModelSession(model, pool, options);
  }

  /** Process ids of the workers. */
  get pids(): number[] {
    return this.#pool.pids;
  }

  /** Name and version of what computes, such as "onnxruntime-node 1.30.0". */
  get runtime(): string {
    return this.#pool.runtime;
  }

  /** Counts so far. */
  get stats(): SessionStats {
    return {
      calls: this.#calls,
      tokens: this.#tokens,
      paddedTokens: this.#paddedTokens,
      peakBytes: this.#pool.peakBytes,
      workersLost: this.#pool.workersLost,
    };
  }

  /**
   * Runs the sequences and hands the result of each call to `onCall` with the positions of its sequences. Results do not depend on
   * which sequences are run together, nor on their order.
   * @throws InferenceError when a call fails for good.
   */
  async run(
    sequences: readonly TokenSequence[],
    onCall: (result: CallResult, positions: readonly number[]) => void,
  ): Promise<void> {
    const plan = planCalls(
      sequences.map(({ ids }) => ids.length),
      {
        batched: canShareCalls(this.model),
        maxBatchTokens: this.#maxBatchTokens,
        maxBatchItems: this.#maxBatchItems,
        maxTokens: this.model.entry.maxTokens,
      },
    );
    const jobs: { calls: ModelCall[]; positions: (readonly number[])[]; tokens: number }[] = [];
    for (const { positions, paddedLength } of plan) {
      const call = packCall(sequences, positions, paddedLength);
      const tokens = call.rows * call.columns;
      const last = jobs.at(-1);
      if (last && last.tokens + tokens <= jobTokens) {
        last.calls.push(call);
        last.positions.push(positions);
        last.tokens += tokens;
      } else {
        jobs.push({ calls: [call], positions: [positions], tokens });
      }
      this.#calls++;
      this.#onCall?.(call.rows, tokens);
      this.#paddedTokens += tokens;
      for (const length of call.lengths) this.#tokens += length;
    }
    await Promise.all(
      jobs.map(async ({ calls, positions }) => {
        const results = await this.#pool.run(calls);
        results.forEach((result, i) => {
          const rows = positions[i];
          if (!rows)
            throw new InferenceError(
              "execution_failed",
              `model ${this.model.entry.key} answered a call that was not made`,
            );
          onCall(result, rows);
        });
      }),
    );
  }

  /** Ends the workers, which gives their memory back. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}
