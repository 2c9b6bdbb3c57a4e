import type { VerifiedModel } from "@ragline/models";
import type { TokenSequence } from "@ragline/tokenizer";
import type { BareMessage } from "./bare-worker.js";
import { type Batch, inBatches, longestFirst, splitEvenly } from "./batching.js";
import { ForkedWorker } from "./forked-worker.js";

/** How a bare loop is laid out. */
export interface BareLayout {
  readonly processes: number;
  /** Threads of each process's session. */
  readonly threads: number;
  /** Texts in one call, padded to the longest of them; texts are sorted, the longest first. */
  readonly batchSize: number;
  /** Static: the work is shared out by its cost before the start. Dynamic: each process takes the next call when it is free. */
  readonly split: "static" | "dynamic";
}

/** A layout in words. */
export function layoutName({ processes, threads, batchSize, split }: BareLayout): string {
  return `${processes} x ${threads} threads, ${batchSize} per call${processes > 1 ? `, ${split}` : ""}`;
}

// The second call lies in the pipe while the first computes, so that no process ever waits.
const callsAhead = 2;

type Process = ForkedWorker<BareMessage, null>;

/** Computes batches from a common queue until it is empty. */
async function drain(process: Process, queue: Batch[]): Promise<void> {
  for (let batch = queue.shift(); batch; batch = queue.shift())
    await process.request({ type: "work", batches: [batch] });
}

/** Processes that each hold a session over one graph and all texts, tokenised. */
export class BareLoop {
  readonly layout: BareLayout;
  readonly #processes: readonly Process[];
  readonly #lengths: readonly number[];

  private constructor(layout: BareLayout, processes: readonly Process[], lengths: readonly number[]) {
    this.layout = layout;
    this.#processes = processes;
    this.#lengths = lengths;
  }

  /**
   * Starts the processes and waits until every session is open.
   * @throws Error when one cannot be opened.
   */
  static async open(model: VerifiedModel, sequences: readonly TokenSequence[], layout: BareLayout): Promise<BareLoop> {
    const processes = Array.from({ length: layout.processes }, (): Process => new ForkedWorker("bare-worker"));
    const lengths = sequences.map(({ ids }) => ids.length);
    const loop = new BareLoop(layout, processes, lengths);
    const { graphPath, entry, precision } = model;
    const open: BareMessage = {
      type: "open",
      graphPath,
      output: entry.output.name,
      threads: layout.threads,
      // As the stages do: without it an fp32 graph is neither computed in fp32 nor as fast.
      extra: precision === "fp32" ? { session: { disable_quant_qdq: "1" } } : {},
      sequences,
    };
    try {
      await Promise.all(processes.map((process) => process.request(open)));
    } catch (error) {
      loop.close();
      throw error;
    }
    return loop;
  }

  /**
   * Computes the texts at some positions, all by default.
   * @returns seconds from the first message to the last answer.
   * @throws Error when a call fails.
   */
  async run(positions: readonly number[] = [...this.#lengths.keys()]): Promise<number> {
    const { batchSize, split } = this.layout;
    const lengthAt = (position = 0): number => this.#lengths[position] ?? 0;
    const order = longestFirst(positions.map(lengthAt)).map((i) => positions[i] ?? 0);
    const batches = inBatches(order, batchSize);
    const costs = batches.map((batch) => batch.length * lengthAt(batch[0]));
    const shares = splitEvenly(batches, costs, this.#processes.length);
    const startedAt = performance.now();
    if (split === "static") {
      await Promise.all(
        this.#processes.map((process, i) => process.request({ type: "work", batches: shares[i] ?? [] })),
      );
    } else {
      const lanes = Array.from({ length: callsAhead }, () => this.#processes).flat();
      await Promise.all(lanes.map((process) => drain(process, batches)));
    }
    return (performance.now() - startedAt) / 1000;
  }

  /** Ends the processes. */
  close(): void {
    for (const process of this.#processes) process.close();
  }
}
