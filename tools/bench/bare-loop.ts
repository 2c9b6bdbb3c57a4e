import { type ChildProcess, fork } from "node:child_process";
import type { TokenSequence } from "@ragline/inference";
import type { VerifiedModel } from "@ragline/models";
import type { BareOpen, BareReply, BareWork } from "./bare-protocol.js";
import { type Batch, inBatches, longestFirst, splitEvenly } from "./batching.js";
import { fromRoot } from "./run-benchmark.js";

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
  const shared = processes > 1 ? `, ${split}` : "";
  return `${processes} x ${threads} threads, ${batchSize} per call${shared}`;
}

// The second call lies in the pipe while the first computes, so that no process ever waits.
const callsAhead = 2;

/** Processes that each hold a session over one graph and all texts, tokenised. */
export class BareLoop {
  readonly layout: BareLayout;
  readonly #children: readonly ChildProcess[];
  readonly #sequences: readonly TokenSequence[];

  private constructor(layout: BareLayout, children: readonly ChildProcess[], sequences: readonly TokenSequence[]) {
    this.layout = layout;
    this.#children = children;
    this.#sequences = sequences;
  }

  /**
   * Starts the processes and waits until every session is open.
   * @throws Error when one cannot be opened.
   */
  static async open(model: VerifiedModel, sequences: readonly TokenSequence[], layout: BareLayout): Promise<BareLoop> {
    const { threads, processes } = layout;
    const children = Array.from({ length: processes }, () =>
      fork(fromRoot("tools/dist/bench/bare-worker.js"), { serialization: "advanced" }),
    );
    const loop = new BareLoop(layout, children, sequences);
    const { graphPath, entry } = model;
    const open: BareOpen = { type: "open", graphPath, output: entry.output, threads, sequences };
    try {
      await Promise.all(children.map((child) => request(child, open)));
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
  async run(positions = [...this.#sequences.keys()]): Promise<number> {
    const { batchSize, split } = this.layout;
    const lengths = positions.map((position) => this.#sequences[position]?.ids.length ?? 0);
    const sorted = longestFirst(lengths).map((i) => positions[i] ?? 0);
    const batches = inBatches(sorted, batchSize);
    const costs = batches.map((batch) => batch.length * (this.#sequences[batch[0] ?? 0]?.ids.length ?? 0));
    const shares = splitEvenly(batches, costs, this.#children.length);
    const startedAt = performance.now();
    await Promise.all(
      split === "static"
        ? this.#children.map((child, i) => request(child, { type: "work", batches: shares[i] ?? [] }))
        : this.#children.map((child) => drain(child, batches)),
    );
    return (performance.now() - startedAt) / 1000;
  }

  /** Ends the processes. */
  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}

function request(child: ChildProcess, message: BareOpen | BareWork): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      child.off("message", onReply).off("exit", onExit);
      if (error) reject(error);
      else resolve();
    };
    const onReply = (reply: BareReply): void =>
      settle(reply.type === "failed" ? new Error(`a bare loop failed: ${reply.message}`) : undefined);
    const onExit = (): void => settle(new Error("a process of a bare loop died"));
    child.on("message", onReply).on("exit", onExit);
    child.send(message);
  });
}

/** Has a process compute batches from a common queue until that is empty. */
async function drain(child: ChildProcess, queue: Batch[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let inFlight = 0;
    const settle = (error?: Error): void => {
      child.off("message", onReply).off("exit", onExit);
      if (error) reject(error);
      else resolve();
    };
    const fill = (): void => {
      for (let batch = queue.shift(); batch; batch = inFlight < callsAhead ? queue.shift() : undefined) {
        inFlight++;
        child.send({ type: "work", batches: [batch] } satisfies BareWork);
      }
    };
    const onReply = (reply: BareReply): void => {
      inFlight--;
      if (reply.type === "failed") settle(new Error(`a bare loop failed: ${reply.message}`));
      fill();
      if (inFlight === 0) settle();
    };
    const onExit = (): void => settle(new Error("a process of a bare loop died"));
    child.on("message", onReply).on("exit", onExit);
    fill();
  });
}
