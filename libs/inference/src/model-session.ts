import type { VerifiedModel } from "@ragline/models";
import type { TokenSequence } from "@ragline/tokenizer";
import { type CallSharing, planCalls } from "./batch-plan.js";
import type { CallUnit } from "./call-unit.js";
import type { InferenceError } from "./inference-error.js";
import { callSharing, expectedGraph, isFloat } from "./model-graph.js";
import { type Resize, TokenBudget } from "./token-budget.js";
import type { WorkObserver } from "./work-observer.js";
import type { WorkerGroup, WorkerGroupOptions } from "./worker-group.js";
import { WorkerPool, type WorkerPoolOptions } from "./worker-pool.js";
import type { CallResult, ModelCall, WorkerDevice } from "./worker-protocol.js";

/** How a model is run. */
export interface ModelSessionOptions {
  /** The kind of all devices that workers will be attached on. @default "cpu" */
  readonly deviceKind?: WorkerDevice["kind"];
  /**
   * Most padded tokens in one call; int8 graphs, and on a CPU cross encoders, always get one text per call.
   * @default 1, which is one text per call: the fastest on a CPU
   */
  readonly maxBatchTokens?: number;
  /** Padded tokens of the first calls, from which they grow while that is faster. @default maxBatchTokens */
  readonly startBatchTokens?: number;
  /** Most texts in one call. @default as many as the tokens allow */
  readonly maxBatchItems?: number;
  /** Told of each call of the model: its texts and its padded tokens. */
  readonly onCall?: (items: number, paddedTokens: number) => void;
  /** Told of each change of how many padded tokens a call may have. */
  readonly onResize?: (resize: Resize) => void;
  /** Told each time a worker process died and was replaced. */
  readonly onWorkerLost?: WorkerPoolOptions["onWorkerLost"];
  /** Told what workers do. @default nobody */
  readonly observer?: WorkObserver;
}

/** The workers of a session on one device. */
export interface SessionWorkers extends Pick<WorkerGroupOptions, "name" | "device" | "fencingToken" | "workers"> {
  /** Threads of each worker's session. @default 1 */
  readonly threadsPerWorker?: number;
}

/** A session that has workers from the start, on the CPU and without a lease. */
export interface OpenSessionOptions extends ModelSessionOptions {
  /** Worker processes, each with a session of its own. */
  readonly workers: number;
  /** Threads of each session. @default 1 */
  readonly threadsPerWorker?: number;
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
  /** How often memory ran out in a call. */
  readonly outOfMemory: number;
}

/** A text that has no result, because it does not fit into a worker's memory even alone. */
export interface TextFailure {
  readonly position: number;
  readonly message: string;
}

// Short texts travel together up to this many tokens, so that a message costs little beside the computing.
const jobTokens = 512;

function packCall(sequences: readonly TokenSequence[], positions: readonly number[], columns: number): ModelCall {
  const rows = positions.length;
  const ids = new Int32Array(rows * columns);
  const lengths = new Int32Array(rows);
  const secondTypeFrom = new Int32Array(rows);
  let typed = false;
  let padId = 0;
  positions.forEach((position, row) => {
    const sequence = sequences[position];
    if (!sequence) throw new RangeError(`no sequence at position ${position}`);
    ids.set(sequence.ids, row * columns);
    lengths[row] = sequence.ids.length;
    secondTypeFrom[row] = sequence.secondTypeFrom ?? sequence.ids.length;
    padId = sequence.padId ?? 0;
    typed ||= sequence.secondTypeFrom !== undefined;
  });
  return { rows, columns, ids, lengths, padId, ...(typed ? { secondTypeFrom } : {}) };
}

/** A verified model that computes, in worker processes, for as long as it is open. */
export class ModelSession {
  readonly model: VerifiedModel;
  /** How many padded tokens one call may have now. */
  readonly budget: TokenBudget;
  readonly #pool: WorkerPool;
  readonly #options: ModelSessionOptions;
  readonly #sharing: CallSharing;
  #calls = 0;
  #tokens = 0;
  #paddedTokens = 0;

  /** A session without workers: `attach` some. Until then its work waits. */
  constructor(model: VerifiedModel, options: ModelSessionOptions = {}) {
    const { maxBatchTokens = 1, startBatchTokens, onResize, onWorkerLost, observer, deviceKind = "cpu" } = options;
    this.model = model;
    this.#sharing = callSharing(model, deviceKind);
    this.#options = options;
    this.budget = new TokenBudget({
      limitTokens: maxBatchTokens,
      ...(startBatchTokens === undefined ? {} : { startTokens: startBatchTokens }),
      ...(onResize ? { onResize } : {}),
    });
    this.#pool = new WorkerPool({
      model: model.entry.key,
      budget: this.budget,
      ...(this.#sharing === "any-length" ? { maxJoinedRows: options.maxBatchItems ?? Infinity } : {}),
      ...(onWorkerLost ? { onWorkerLost } : {}),
      ...(observer ? { observer } : {}),
    });
  }

  /**
   * Opens the model in worker processes on the CPU.
   * @throws InferenceError when it cannot be opened, or "closed" when the signal aborts.
   */
  static async open(model: VerifiedModel, options: OpenSessionOptions): Promise<ModelSession> {
    const { workers, threadsPerWorker = 1, signal } = options;
    const session = new ModelSession(model, options);
    const giveUp = () => void session.close();
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      await session.attach({ name: "cpu:0", device: { kind: "cpu" }, fencingToken: 0, workers, threadsPerWorker });
    } catch (error) {
      await session.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
    return session;
  }

  /** Whether texts may share a call of this model. */
  get sharesCalls(): boolean {
    return this.#sharing !== "none";
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
      outOfMemory: this.#pool.outOfMemory,
    };
  }

  /** The groups of workers that are attached. */
  get groups(): ReadonlySet<WorkerGroup> {
    return this.#pool.groups;
  }

  /**
   * Starts workers on a device; they take their share of the work from then on.
   * @throws InferenceError when one cannot open the model.
   */
  attach({ threadsPerWorker: threads = 1, ...workers }: SessionWorkers): Promise<WorkerGroup> {
    const { entry, precision, graphPath, graphBytes } = this.model;
    return this.#pool.attach({
      ...workers,
      threads,
      graphPath,
      graphBytes,
      isFloat: isFloat(precision),
      graph: expectedGraph(entry),
    });
  }

  /** Ends the workers on a device; what they had not finished is done by others, or waits for the next. */
  detach(group: WorkerGroup): Promise<void> {
    return this.#pool.detach(group);
  }

  /** Ends the largest worker of a group that uses more than it was granted; its work is done again on a new one. */
  endLargest(group: WorkerGroup): void {
    this.#pool.endLargest(group);
  }

  /**
   * Runs the sequences and hands the result of each call to `onCall` with the positions of its sequences. Results do not depend on
   * which sequences are run together, nor on their order.
   * @returns the sequences that have no result because memory ran out even with each alone.
   * @throws InferenceError when a call fails for good.
   */
  async run(
    sequences: readonly TokenSequence[],
    onCall: (result: CallResult, positions: readonly number[]) => void,
  ): Promise<TextFailure[]> {
    const plan = planCalls(
      sequences.map(({ ids }) => ids.length),
      {
        sharing: this.#sharing,
        maxBatchTokens: this.budget.tokens,
        maxTokens: this.model.entry.maxTokens,
        ...(this.#options.maxBatchItems === undefined ? {} : { maxBatchItems: this.#options.maxBatchItems }),
      },
    );
    const jobs: { units: CallUnit[]; tokens: number }[] = [];
    for (const { positions, paddedLength } of plan) {
      const call = packCall(sequences, positions, paddedLength);
      const tokens = call.rows * call.columns;
      const last = jobs.at(-1);
      if (last && this.#sharing !== "any-length" && last.tokens + tokens <= jobTokens) {
        last.units.push({ call, positions });
        last.tokens += tokens;
      } else {
        jobs.push({ units: [{ call, positions }], tokens });
      }
    }
    const failures: TextFailure[] = [];
    const sink = {
      onResult: onCall,
      onTooLarge: (position: number, message: string) => void failures.push({ position, message }),
      onCall: (call: ModelCall) => this.#count(call),
    };
    await Promise.all(jobs.map(({ units }) => this.#pool.run(units, sink)));
    return failures.sort((a, b) => a.position - b.position);
  }

  #count({ rows, columns, lengths }: ModelCall): void {
    this.#calls++;
    this.#paddedTokens += rows * columns;
    for (const length of lengths) this.#tokens += length;
    this.#options.onCall?.(rows, rows * columns);
  }

  /** Runs one call whose result is of no use, to see what it needs. It is not counted. */
  probe(call: ModelCall): Promise<void> {
    const sink = { onResult: () => undefined, onTooLarge: () => undefined };
    return this.#pool.run([{ call, positions: Array.from({ length: call.rows }, (_, row) => row) }], sink);
  }

  /** Fails all work with this error and ends the workers. */
  fail(error: InferenceError): Promise<void> {
    return this.#pool.fail(error);
  }

  /** Ends the workers, which gives their memory back. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}
