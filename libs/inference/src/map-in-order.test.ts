import fc from "fast-check";
import { expect, test } from "vitest";
import { mapInOrder } from "./index.js";

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield item;
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("results keep the order of the items whatever takes long, and never more than `ahead` run at once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), async (delays, ahead) => {
      let running = 0;
      let most = 0;
      const results = mapInOrder(from([...delays.entries()]), ahead, async ([i, delay]) => {
        most = Math.max(most, ++running);
        await later(delay);
        running--;
        return i;
      });
      expect(await collect(results)).toEqual(delays.map((_, i) => i));
      expect(most).toBeLessThanOrEqual(ahead);
    }),
    { numRuns: 30 },
  );
});

test("a result does not wait for input that may never come", async () => {
  let answered = (): void => undefined;
  const askAgain = new Promise<void>((resolve) => {
    answered = resolve;
  });
  async function* dialogue(): AsyncGenerator<number> {
    yield 1;
    await askAgain;
    yield 2;
  }
  const seen: number[] = [];
  for await (const result of mapInOrder(dialogue(), 4, (item) => Promise.resolve(item))) {
    seen.push(result);
    answered();
  }
  expect(seen).toEqual([1, 2]);
});

test("a failure comes in its turn and the source is told to stop", async () => {
  let stopped = false;
  async function* source(): AsyncGenerator<number> {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      stopped = true;
    }
  }
  const seen: number[] = [];
  const run = async (): Promise<void> => {
    const map = (item: number): Promise<number> =>
      item === 3 ? Promise.reject(new Error("three")) : Promise.resolve(item);
    for await (const item of mapInOrder(source(), 8, map)) seen.push(item);
  };
  await expect(run()).rejects.toThrow("three");
  expect(seen).toEqual([0, 1, 2]);
  await later(5);
  expect(stopped).toBe(true);
});
