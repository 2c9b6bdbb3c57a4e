/**
 * The items of a stream until the signal aborts; then its reason is thrown at once, even while an item is waited for
 * that may never come.
 */
export async function* untilAborted<Item>(items: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  const source = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await nextUnlessAborted(source, signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a source that is waiting for its own next item would hold this one back.
    source.return?.().catch(() => undefined);
  }
}

function nextUnlessAborted<Item>(source: AsyncIterator<Item>, signal: AbortSignal): Promise<IteratorResult<Item>> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    source
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}
