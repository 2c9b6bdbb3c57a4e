import { type DenseService, LongText, Stage, type TextBatch } from "@ragline/contracts";
import { DenseEncoder } from "@ragline/inference";
import type { Handlers } from "@ragline/rpc";
import {
  inputTypeOf,
  itemFailures,
  openStage,
  type StageOptions,
  streamBatches,
  summarise,
  takeOpen,
} from "@ragline/stage";
import { toFloat32Bytes } from "@ragline/vectors";

/** The rpc handlers of the dense stage. */
export function denseHandlers(options: StageOptions): Handlers<typeof DenseService> {
  return {
    embed: async function* (requests, { signal }) {
      const { open, items } = await takeOpen(requests, "texts");
      const stage = await openStage(Stage.DENSE, open, options, signal);
      try {
        yield { kind: { case: "ready", value: stage.ready } };
        const encoder = new DenseEncoder(stage.session, stage.tokenizer, {
          longText: open.longText === LongText.WINDOW_MEAN ? "window-mean" : "truncate",
        });
        const { dimension } = stage.entry;
        const embed = async (batch: TextBatch) => {
          const { values, truncated, averaged, failures } = await encoder.encode(batch.texts, inputTypeOf(batch));
          const { firstIndex, inputType, texts } = batch;
          const vectors = {
            firstIndex,
            inputType,
            rows: texts.length,
            columns: dimension,
            values: toFloat32Bytes(values),
            truncated,
            failures: itemFailures(failures),
          };
          return {
            reply: vectors,
            items: texts.length,
            truncated: truncated.length,
            averaged: averaged.length,
            failed: failures.length,
          };
        };
        for await (const vectors of streamBatches(stage, items, ({ texts }) => texts, embed))
          yield { kind: { case: "vectors", value: vectors } };
        yield { kind: { case: "summary", value: summarise(stage) } };
      } finally {
        await stage.close();
      }
    },
  };
}
