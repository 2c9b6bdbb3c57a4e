import { once } from "node:events";
import type { Writable } from "node:stream";

/**
 * What the promise settles to, or undefined as soon as the signal aborts.
 * (`Promise.race` with one long-lived promise would keep a reaction for every message of a stream.)
 */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) resolve(undefined);
    const onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/**
 * Writes every item, pulling the next only when the stream has room for it, and returns early once `signal` aborts:
 * then the items are closed (`return()`) without waiting for one that is still being made. The stream is not ended.
 * Throws what the items throw.
 */
export async function writeAll<T>(
  stream: Writable,
  items: AsyncIterable<T>,
  encode: (item: T) => Buffer,
  signal: AbortSignal,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  let open = true;
  try {
    while (!signal.aborted) {
      open = false; // an iterator that throws has closed itself
      const step = await unlessAborted(iterator.next(), signal);
      open = step?.done !== true;
      if (!step || step.done) return;
      if (!stream.write(encode(step.value))) await once(stream, "drain", { signal }).catch(() => {});
    }
  } finally {
    if (open) iterator.return?.().catch(() => {}); // nobody is left to hear of it
  }
}
