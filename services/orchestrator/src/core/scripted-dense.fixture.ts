import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  DenseService,
  DenseVectorsSchema,
  InputType,
  type OutcomeReason,
  Precision,
  type StageOpen,
  type StageReadySchema,
  type TextBatch,
} from "@ragline/contracts";
import { fromFloat32Bytes, toFloat32Bytes } from "@ragline/vectors";
import { type DenseSpace, embedWithModel } from "./dense-stage.js";
import type { RunContext } from "./run-context.js";
import { chunksOf, serve, temporarySpool } from "./stage-test-context.fixture.js";

export const dimension = 4;

/** The vector of a text: of unit length, and known from the text alone. */
export function vectorOf(text: string): number[] {
  const bytes = createHash("sha256").update(text).digest();
  const values = Array.from({ length: dimension }, (_, i) => bytes.readInt32LE(4 * i) / 2 ** 31);
  const length = Math.hypot(...values);
  return values.map((value) => Math.fround(value / length));
}

/** How a service behaves; without any of these it answers each batch at once. */
export interface DenseScript {
  /** What it says to have opened, over a usual answer. */
  readonly ready?: MessageInitShape<typeof StageReadySchema>;
  /** Called before each batch, which are counted over the life of the service; may wait, throw, or kill the service. */
  readonly onBatch?: (batch: number, service: { kill: () => void }) => void | Promise<void>;
  /** Why a text gets no vector. */
  readonly failureOf?: (text: string) => OutcomeReason | undefined;
  /** How many of the rows it sends. @default all */
  readonly rows?: (count: number) => number;
}

/** A dense service in this process that follows a script. */
export interface ScriptedDense {
  readonly address: string;
  readonly opens: StageOpen[];
  /** First rows of the batches of passages that it was sent. */
  readonly received: number[];
  /** Streams that are open now. */
  readonly streams: () => number;
}

/** Starts a service on a free port; it ends with the test. */
export async function startScriptedDense(script: DenseScript = {}): Promise<ScriptedDense> {
  const opens: StageOpen[] = [];
  const received: number[] = [];
  let batches = 0;
  let streams = 0;
  const answer = ({ firstIndex, inputType, texts }: TextBatch): MessageInitShape<typeof DenseVectorsSchema> => {
    const reasons = texts.map((text) => script.failureOf?.(text));
    const rows = texts.map((text, i) => (reasons[i] === undefined ? vectorOf(text) : Array<number>(dimension).fill(0)));
    const kept = rows.slice(0, script.rows?.(rows.length) ?? rows.length);
    return {
      firstIndex,
      inputType,
      rows: kept.length,
      columns: dimension,
      values: toFloat32Bytes(Float32Array.from(kept.flat())),
      failures: reasons.flatMap((reason, position) =>
        reason === undefined ? [] : [{ position, reason, detail: "it does not fit; use a larger device" }],
      ),
    };
  };
  const service = await serve(DenseService, {
    async *embed(requests) {
      streams++;
      try {
        for await (const { kind } of requests) {
          if (kind.case === "open") {
            opens.push(kind.value);
            const usual = {
              model: kind.value.model,
              precision: Precision.INT8,
              dimension,
              workers: 1,
              device: "cpu:0",
            };
            yield { kind: { case: "ready" as const, value: { ...usual, ...script.ready } } };
          } else if (kind.case === "texts") {
            if (kind.value.inputType === InputType.PASSAGE) received.push(Number(kind.value.firstIndex));
            await script.onBatch?.(batches++, service);
            yield { kind: { case: "vectors" as const, value: answer(kind.value) } };
          }
        }
        yield { kind: { case: "summary" as const, value: { batches: 1n, peakBytes: 7n } } };
      } finally {
        streams--;
      }
    },
  });
  return { address: service.address, opens, received, streams: () => streams };
}

/** Embeds texts and queries, and reads the vectors back: one array for each text. */
export async function embedTexts(
  context: RunContext,
  texts: readonly string[],
  queries: readonly string[] = [],
  model = "bge-small-en-v1.5",
): Promise<{ space: DenseSpace; rows: number[][] }> {
  const spool = await temporarySpool(DenseVectorsSchema);
  const space = await embedWithModel(context, "docs", model, await chunksOf(texts), queries, spool);
  const rows: number[][] = [];
  for await (const { values, columns } of spool.read()) {
    const matrix = fromFloat32Bytes(values);
    for (let at = 0; at < matrix.length; at += columns) rows.push([...matrix.subarray(at, at + columns)]);
  }
  return { space, rows };
}
