import type { VerifiedModel } from "@ragline/models";
import type { TokenSequence } from "@ragline/tokenizer";
import { every, inBatches, longestFirst } from "./batching.js";
import type { Figure } from "./report.js";
import { spreadOf } from "./statistics.js";
import { TransformersPeer } from "./transformers-peer.js";

const batchSize = 32;

/** What the peer computes. */
export interface PeerTask {
  readonly model: VerifiedModel;
  readonly texts: readonly string[];
  /** The texts, tokenised. */
  readonly sequences: readonly TokenSequence[];
  /** About how many of the texts it computes, in blocks of 32 from all over them. */
  readonly count: number;
  /** An empty folder. */
  readonly folder: string;
}

interface Order {
  readonly name: string;
  /** What our rate is to be to the peer's. */
  readonly atLeast: number;
  readonly batches: readonly string[][];
  seconds: number;
}

/** The peer in batches of 32, in two orders. Each round computes a share of the batches, and all rounds each of them once. */
export class PeerContest {
  readonly #peer: TransformersPeer;
  readonly #orders: readonly Order[];

  private constructor(peer: TransformersPeer, { texts, sequences, count }: PeerTask) {
    const sorted = longestFirst(sequences.map(({ ids }) => ids.length)).map((position) => texts[position] ?? "");
    const step = Math.max(1, Math.round(texts.length / count));
    const batches = (ordered: readonly string[]): string[][] => every(inBatches(ordered, batchSize), step, step >> 1);
    this.#peer = peer;
    this.#orders = [
      { name: "as given", atLeast: 5, batches: batches(texts), seconds: 0 },
      { name: "by length", atLeast: 2.5, batches: batches(sorted), seconds: 0 },
    ];
  }

  /**
   * Opens the model and warms it up.
   * @throws Error when the peer cannot open it.
   */
  static async open(task: PeerTask): Promise<PeerContest> {
    const peer = await TransformersPeer.open(task.model, task.folder);
    await peer.run([task.texts.slice(0, 4)]);
    return new PeerContest(peer, task);
  }

  /** What it computed, in a sentence. */
  get note(): string {
    const counts = this.#orders.map(({ name, batches }) => `${batches.flat().length} ${name}`);
    return `@huggingface/transformers ${this.#peer.version} computed texts in batches of ${batchSize}: ${counts.join(", ")}`;
  }

  /** Computes this round's share. */
  async run(round: number, rounds: number): Promise<void> {
    for (const order of this.#orders) order.seconds += await this.#peer.run(every(order.batches, rounds, round));
  }

  /** The peer's texts per second, and what the rates of ours are to them. */
  figures(rates: readonly number[]): Figure[] {
    return this.#orders.flatMap(({ name, batches, seconds, atLeast }): Figure[] => {
      const rate = batches.flat().length / seconds;
      const ratio = spreadOf(rates.map((own) => own / rate));
      return [
        { name: `transformers fp32, 32 per call, ${name}`, unit: "texts/s", ...spreadOf([rate]) },
        { name: `stage (auto) / transformers, ${name}`, unit: "", ...ratio, aim: { atLeast } },
      ];
    });
  }

  /** Ends its process. */
  close(): void {
    this.#peer.close();
  }
}
