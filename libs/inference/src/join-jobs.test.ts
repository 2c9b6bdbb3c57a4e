import fc from "fast-check";
import { expect, test } from "vitest";
import type { CallUnit } from "./call-unit.js";
import { InferenceError } from "./inference-error.js";
import { joinJobs } from "./join-jobs.js";
import { finishTexts, type PoolJob } from "./pool-job.js";
import type { CallResult, ModelCall } from "./worker-protocol.js";

/** A job of one call whose token ids tell its text: 100 x text + place. */
function jobOf(id: number, texts: readonly { text: number; length: number }[], columns: number) {
  const got = new Map<number, number[]>();
  const tooLarge: number[] = [];
  const outcome = { done: false, error: undefined as InferenceError | undefined };
  const ids = new Int32Array(texts.length * columns);
  texts.forEach(({ text, length }, row) => {
    for (let at = 0; at < length; at++) ids[row * columns + at] = 100 * text + at;
  });
  const lengths = Int32Array.from(texts, ({ length }) => length);
  const units: CallUnit[] = [
    { call: { rows: texts.length, columns, ids, lengths }, positions: texts.map((_, at) => at) },
  ];
  const job: PoolJob = {
    id,
    units,
    losses: 0,
    outOfMemory: 0,
    run: {
      left: texts.length,
      settled: false,
      traceparent: undefined,
      onWork: undefined,
      onResult: ({ values }, positions) =>
        positions.forEach((position, row) => void got.set(position, Array.from(values.subarray(2 * row, 2 * row + 2)))),
      onTooLarge: (position) => void tooLarge.push(position),
      resolve: () => {
        outcome.done = true;
      },
      reject: (error) => {
        outcome.error = error;
      },
    },
  };
  return { job, got, tooLarge, outcome, texts };
}

/** What a model would give: for each row its first id and how many tokens it has, as a matrix or as sparse rows. */
function compute(call: ModelCall, kind: CallResult["kind"]): CallResult {
  const rows = Array.from({ length: call.rows }, (_, row) => [
    call.ids[row * call.columns] ?? 0,
    call.lengths[row] ?? 0,
  ]);
  if (kind === "matrix") return { kind, values: Float32Array.from(rows.flat()) };
  return {
    kind,
    rowLengths: Uint32Array.from(rows, ({ length }) => length),
    indices: Uint32Array.from(rows.flatMap(() => [0, 1])),
    values: Float32Array.from(rows.flat()),
  };
}

const batches = fc.array(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 8,
});

const someLimits = fc.record({ tokens: fc.integer({ min: 1, max: 600 }), rows: fc.integer({ min: 1, max: 40 }) });

test("every text of a joined call gets its own result, within the limits and with little padding", () => {
  fc.assert(
    fc.property(batches, someLimits, fc.constantFrom("matrix", "sparse"), (all, limits, kind) => {
      let text = 0;
      const made = all.map((lengths, id) =>
        jobOf(
          id,
          lengths.map((length) => ({ text: ++text, length })),
          Math.max(...lengths),
        ),
      );
      const queue = made.map(({ job }) => job);
      while (queue.length > 0) {
        const first = queue.shift();
        if (!first) break;
        const joined = joinJobs(first, queue, limits);
        expect(joined.units).toHaveLength(1);
        for (const { call, positions } of joined.units) {
          expect(joined === first || call.rows * call.columns <= limits.tokens).toBe(true);
          expect(joined === first || call.rows <= limits.rows).toBe(true);
          joined.run.onResult(compute(call, kind), positions);
          // The pool counts the texts of a job that is alone.
          if (joined === first) finishTexts(first.run, positions.length);
        }
      }
      for (const { got, outcome, texts } of made) {
        expect(outcome.done).toBe(true);
        texts.forEach((each, position) => {
          expect(got.get(position)).toEqual([100 * each.text, each.length]);
        });
      }
    }),
    { seed: 11 },
  );
});

const ample = { tokens: 1000, rows: 100 };
const twoTexts = (id: number) =>
  jobOf(
    id,
    [
      { text: 2 * id, length: 8 },
      { text: 2 * id + 1, length: 7 },
    ],
    8,
  );

test("a text that is too large is told to its own run, an error to all", () => {
  const [one, two] = [twoTexts(1), twoTexts(2)];
  const joined = joinJobs(one.job, [two.job], ample);
  expect(joined.parts).toEqual([one.job, two.job]);
  joined.run.onTooLarge(3, "too large");
  expect([one.tooLarge, two.tooLarge]).toEqual([[], [1]]);
  const error = new InferenceError("closed", "closed");
  joined.run.reject(error);
  expect([one.outcome.error, two.outcome.error]).toEqual([error, error]);
});

test.each<[string, (job: PoolJob) => PoolJob]>([
  ["has lost a worker", (job) => ({ ...job, losses: 1 })],
  ["ran out of memory alone", (job) => ({ ...job, outOfMemory: 1 })],
  ["has several calls", (job) => ({ ...job, units: [...job.units, ...job.units] })],
  ["has ended", (job) => ({ ...job, run: { ...job.run, settled: true } })],
])("a job that %s stays alone", (_, change) => {
  const [one, two] = [twoTexts(1), twoTexts(2)];
  const queue = [change(two.job)];
  expect(joinJobs(one.job, queue, ample)).toBe(one.job);
  expect(queue).toHaveLength(1);
});
