// The least that computes: onnxruntime-node's session in a loop, with nothing of Ragline around it.
import type { TokenSequence } from "@ragline/tokenizer";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Batch } from "./batching.js";
import { answerMessages } from "./forked-worker.js";

/** What a worker of the bare loop is sent: first `open` with all texts, tokenised, then the work. */
export type BareMessage =
  | {
      readonly type: "open";
      readonly graphPath: string;
      readonly output: string;
      readonly threads: number;
      /** Session options beyond those, as onnxruntime names them. */
      readonly extra: Record<string, unknown>;
      readonly sequences: readonly TokenSequence[];
    }
  | { readonly type: "work"; readonly batches: readonly Batch[] };

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
  const size = rows.length * columns;
  const [tokens, mask, types] = [new BigInt64Array(size), new BigInt64Array(size), new BigInt64Array(size)];
  rows.forEach(({ ids, secondTypeFrom = ids.length }, row) => {
    const start = row * columns;
    for (let i = 0; i < ids.length; i++) tokens[start + i] = BigInt(ids[i] ?? 0);
    mask.fill(1n, start, start + ids.length);
    types.fill(1n, start + secondTypeFrom, start + ids.length);
  });
  const shape = [rows.length, columns];
  return {
    input_ids: new Tensor("int64", tokens, shape),
    attention_mask: new Tensor("int64", mask, shape),
    token_type_ids: new Tensor("int64", types, shape),
  };
}

answerMessages<BareMessage, null>(async (message) => {
  if (message.type === "open") {
    ({ output, sequences } = message);
    session = await InferenceSession.create(message.graphPath, {
      intraOpNumThreads: message.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      extra: message.extra,
    });
  } else {
    for (const batch of message.batches) await session.run(inputs(batch), [output]);
  }
  return null;
});
