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
      const results = mapInOrder(
        from([...delays.entries()]),
        () => ahead,
        async ([i, delay]) => {
          most = Math.max(most, ++running);
          await later(delay);
          running--;
          return i;
        },
      );
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
  for await (const result of mapInOrder(
    dialogue(),
    () => 4,
    (item) => Promise.resolve(item),
  )) {
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
    for await (const item of mapInOrder(source(), () => 8, map)) seen.push(item);
  };
  await expect(run()).rejects.toThrow("three");
  expect(seen).toEqual([0, 1, 2]);
  await later(5);
  expect(stopped).toBe(true);
});

test("a failure of the input comes in its turn, behind the results of what was read before it", async () => {
  async function* source(): AsyncGenerator<number> {
    yield 0;
    yield 1;
    throw new Error("no third");
  }
  const seen: number[] = [];
  const run = async (): Promise<void> => {
    for await (const item of mapInOrder(
      source(),
      () => 8,
      (item) => later(20).then(() => item),
    ))
      seen.push(item);
  };
  await expect(run()).rejects.toThrow("no third");
  expect(seen).toEqual([0, 1]);
});

test.each([
  ["input", "next of the input"],
  ["map", "map"],
])("code of the %s that throws instead of rejecting is a failure like any other", async (culprit, message) => {
  const items: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        if (culprit === "input") throw new Error("next of the input");
        return Promise.resolve({ done: false, value: 1 });
      },
    }),
  };
  const map = (): Promise<number> => {
    throw new Error("map");
  };
  await expect(collect(mapInOrder(items, () => 2, map))).rejects.toThrow(message);
});

test("a reader who leaves while the input has nothing is not held up, and a late failure of the input harms nobody", async () => {
  let fail = (_error: Error): void => undefined;
  const never = new Promise<void>((_, reject) => {
    fail = reject;
  });
  async function* source(): AsyncGenerator<number> {
    yield 1;
    await never;
  }
  for await (const item of mapInOrder(
    source(),
    () => 4,
    (item) => Promise.resolve(item),
  )) {
    expect(item).toBe(1);
    break;
  }
  fail(new Error("late"));
  await later(5); // an unhandled rejection would fail the run
});

test("more is worked on at once as soon as more can be", async () => {
  let ahead = 1;
  let running = 0;
  let most = 0;
  const results = mapInOrder(
    from(Array.from({ length: 20 }, (_, i) => i)),
    () => ahead,
    async (item) => {
      most = Math.max(most, ++running);
      if (item === 3) ahead = 4;
      await later(5);
      running--;
      return item;
    },
  );
  expect(await collect(results)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(most).toBe(4);
});
