// The least that computes: onnxruntime-node's session in a loop, with nothing of Ragline around it.
import type { TokenSequence } from "@ragline/inference";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { BareOpen, BareReply, BareWork } from "./bare-protocol.js";
import type { Batch } from "./batching.js";

let session: InferenceSession;
let output: string;
let sequences: readonly TokenSequence[];

function inputs(batch: Batch): Record<string, Tensor> {
  const rows = batch.map((position) => {
    const sequence = sequences[position];
    if (!sequence) throw new RangeError(`there is no text at position ${position}`);
    return sequence;
  });
  const columns = Math.max(...rows.map(({ ids }) => ids.length));
  const shape = [rows.length, columns];
  const [ids, mask, types] = [0, 1, 2].map(() => new BigInt64Array(rows.length * columns)) as [
    BigInt64Array,
    BigInt64Array,
    BigInt64Array,
  ];
  rows.forEach((sequence, row) => {
    const start = row * columns;
    const end = start + sequence.ids.length;
    for (const [i, id] of sequence.ids.entries()) ids[start + i] = BigInt(id);
    mask.fill(1n, start, end);
    if (sequence.secondTypeFrom !== undefined) types.fill(1n, start + sequence.secondTypeFrom, end);
  });
  return {
    input_ids: new Tensor("int64", ids, shape),
    attention_mask: new Tensor("int64", mask, shape),
    token_type_ids: new Tensor("int64", types, shape),
  };
}

async function answer(message: BareOpen | BareWork): Promise<BareReply> {
  if (message.type === "open") {
    ({ output, sequences } = message);
    session = await InferenceSession.create(message.graphPath, {
      intraOpNumThreads: message.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
    return { type: "ready" };
  }
  for (const batch of message.batches) await session.run(inputs(batch), [output]);
  return { type: "done" };
}

// One message after the other, in the order of their arrival.
let turn: Promise<void> = Promise.resolve();
process.on("message", (message: BareOpen | BareWork) => {
  turn = turn
    .then(() => answer(message))
    .catch((error: unknown): BareReply => ({ type: "failed", message: String(error) }))
    .then((reply) => void process.send?.(reply));
});
process.on("disconnect", () => process.exit(0));
