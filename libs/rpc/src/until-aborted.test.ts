import { expect, test, vi } from "vitest";
import { untilAborted } from "./until-aborted.js";

async function* endless(closed: () => void): AsyncGenerator<number> {
  try {
    for (let i = 0; ; i++) yield i;
  } finally {
    closed();
  }
}

test("items pass until the signal aborts, then its reason is thrown and the source is told to stop", async () => {
  const closed = vi.fn<() => void>();
  const abort = new AbortController();
  const items = untilAborted(endless(closed), abort.signal);
  expect([await items.next(), await items.next()].map(({ value }) => value as unknown)).toEqual([0, 1]);
  abort.abort(new Error("enough"));
  await expect(items.next()).rejects.toThrow("enough");
  expect(await items.next()).toEqual({ done: true, value: undefined });
  await expect.poll(() => closed).toHaveBeenCalledOnce();
});

test("an item that never comes is given up", async () => {
  const abort = new AbortController();
  const silent = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<number>>(() => undefined) }),
  };
  const next = untilAborted(silent, abort.signal).next();
  abort.abort(new Error("enough"));
  await expect(next).rejects.toThrow("enough");
});

test("the end and the error of the source are passed on, and no listener stays on the signal", async () => {
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, "addEventListener");
  const remove = vi.spyOn(signal, "removeEventListener");
  async function* failing(): AsyncGenerator<number> {
    yield 1;
    throw new Error("the source's own");
  }
  const items = untilAborted(failing(), signal);
  expect((await items.next()).value).toBe(1);
  await expect(items.next()).rejects.toThrow("the source's own");
  expect(add).toHaveBeenCalledTimes(2);
  expect(remove).toHaveBeenCalledTimes(2);
});
