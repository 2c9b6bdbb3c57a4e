import type { MessageInitShape } from "@bufbuild/protobuf";
import { type EncodeResponseSchema, Precision, Stage, type StageOpen, type TextBatch } from "@ragline/contracts";
import { Bm25 } from "@ragline/lexical";
import { RaglineError } from "@ragline/rpc";
import {
  BatchSpans,
  describeModel,
  type findStageModel,
  inputTypeOf,
  type StageObserver,
  StageTally,
} from "@ragline/stage";
import { packSparse } from "@ragline/vectors";

const noSession = { calls: 0, tokens: 0, paddedTokens: 0, peakBytes: 0, workersLost: 0, outOfMemory: 0 };

function openBm25(averageLength: number): Bm25 {
  try {
    return new Bm25(averageLength === 0 ? {} : { averageLength });
  } catch (cause) {
    throw new RaglineError("INVALID_ARGUMENT", "AVERAGE_LENGTH", (cause as RangeError).message, { cause });
  }
}

/** The replies of a BM25 stream: word statistics need no session, no worker and no lease. */
export async function* lexicalStream(
  entry: ReturnType<typeof findStageModel>,
  open: StageOpen,
  batches: AsyncIterable<TextBatch>,
  observer: StageObserver,
): AsyncGenerator<MessageInitShape<typeof EncodeResponseSchema>> {
  const { key: model, huggingFaceId, dimension, maxTokens, license } = entry;
  const bm25 = openBm25(open.averageLength);
  const tally = new StageTally(Stage.SPARSE, model);
  const spans = new BatchSpans("sparse", model);
  describeModel(entry);
  let calls = 0;
  let words = 0;
  yield {
    kind: {
      case: "ready",
      value: {
        model,
        huggingFaceId,
        dimension,
        maxTokens,
        license,
        precision: Precision.FP32,
        device: "cpu:0",
        workers: 1,
        threadsPerWorker: 1,
        runtime: "bm25",
      },
    },
  };
  const encode = async (batch: TextBatch) => {
    const isQuery = inputTypeOf(batch) === "query";
    const rows = batch.texts.map((text) => (isQuery ? bm25.query(text) : bm25.document(text)));
    const { rowLengths, indices, values } = packSparse(
      0,
      rows.map(({ vector }) => vector),
    );
    const empty = isQuery ? 0 : rows.filter(({ vector }) => vector.indices.length === 0).length;
    calls++;
    words += indices.length;
    const vectors = {
      firstIndex: batch.firstIndex,
      inputType: batch.inputType,
      rowLengths: Array.from(rowLengths),
      indices: Array.from(indices),
      values: Array.from(values),
      tokens: rows.flatMap(({ tokens }) => tokens),
    };
    return { vectors, items: rows.length, truncated: 0, empty };
  };
  try {
    for await (const batch of batches) {
      tally.start();
      const startedAt = performance.now();
      const encoded = await spans.run(
        () => encode(batch),
        (result) => result,
      );
      tally.add(encoded);
      observer.observeLatency((performance.now() - startedAt) / 1000);
      observer.countChunks("ok", encoded.items);
      yield { kind: { case: "vectors", value: encoded.vectors } };
    }
  } finally {
    spans.close();
  }
  yield {
    kind: { case: "summary", value: tally.summary({ ...noSession, calls, tokens: words, paddedTokens: words }) },
  };
}
