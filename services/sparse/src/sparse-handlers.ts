import { type SparseService, Stage, type TextBatch } from "@ragline/contracts";
import { openSparseEncoder } from "@ragline/inference";
import { countWords } from "@ragline/lexical";
import { type Handlers, RaglineError } from "@ragline/rpc";
import {
  findStageModel,
  inputTypeOf,
  itemFailures,
  openStage,
  type StageOptions,
  streamBatches,
  summarise,
  takeOpen,
} from "@ragline/stage";
import { packSparse } from "@ragline/vectors";
import { lexicalStream } from "./lexical-stream.js";

/** The rpc handlers of the sparse stage. */
export function sparseHandlers(options: StageOptions): Handlers<typeof SparseService> {
  return {
    encode: async function* (requests, { signal }) {
      const { open, items } = await takeOpen(requests, "texts");
      const entry = findStageModel(open.model, Stage.SPARSE);
      if (entry.loader === "bm25") {
        yield* lexicalStream(entry, open, items, options.observer);
        return;
      }
      const stage = await openStage(Stage.SPARSE, open, options, signal);
      try {
        yield { kind: { case: "ready", value: stage.ready } };
        const encoder = openSparseEncoder(stage.session, stage.tokenizer);
        const encode = async (batch: TextBatch) => {
          const inputType = inputTypeOf(batch);
          const { rows, truncated, failures } = await encoder.encode(batch.texts, inputType);
          const { rowLengths, indices, values } = packSparse(0, rows);
          const vectors = {
            firstIndex: batch.firstIndex,
            inputType: batch.inputType,
            rowLengths: Array.from(rowLengths),
            indices: Array.from(indices),
            values: Array.from(values),
            tokens: Array.from(indices, (index) => encoder.token(index)),
            truncated,
            failures: itemFailures(failures),
          };
          const failed = failures.length;
          const empty = inputType === "query" ? 0 : rows.filter((row) => row.indices.length === 0).length - failed;
          return { reply: vectors, items: rows.length, truncated: truncated.length, empty, failed };
        };
        for await (const vectors of streamBatches(stage, items, ({ texts }) => texts, encode))
          yield { kind: { case: "vectors", value: vectors } };
        yield { kind: { case: "summary", value: summarise(stage) } };
      } finally {
        await stage.close();
      }
    },

    measureCorpus: async (requests) => {
      let checked = false;
      let texts = 0;
      let words = 0;
      for await (const request of requests) {
        if (!checked && findStageModel(request.model, Stage.SPARSE).loader !== "bm25") {
          throw new RaglineError(
            "INVALID_ARGUMENT",
            "NOT_LEXICAL",
            `model ${request.model} does not count words; only BM25 does`,
          );
        }
        checked = true;
        texts += request.texts.length;
        for (const text of request.texts) words += countWords(text);
      }
      return { texts: BigInt(texts), words: BigInt(words) };
    },
  };
}
