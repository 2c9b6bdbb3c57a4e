/**
 * Maps a stream with up to `ahead` items being worked on at once and yields the results in the order of the items.
 * A result is yielded as soon as it is the next in order, whether or not more input has come; the input is read no
 * further than `ahead`, so memory stays bounded and a slow reader slows the source.
 * @throws whatever `map` or the input throws first, in the order of the items.
 */
export async function* mapInOrder<Item, Result>(
  items: AsyncIterable<Item>,
  ahead: number,
  map: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  const source = items[Symbol.asyncIterator]();
  let ended = false;
  let reading: Promise<"read"> | undefined;
  const read = async (): Promise<"read"> => {
    const next = await source.next();
    reading = undefined;
    if (next.done) {
      ended = true;
    } else {
      const result = map(next.value);
      // Its failure is told when its turn comes; until then it must not count as unhandled.
      result.catch(() => undefined);
      running.push(result);
    }
    return "read";
  };
  try {
    while (!ended || running.length > 0) {
      if (!ended && running.length < ahead) reading ??= read();
      const [first] = running;
      if (!first) {
        await reading;
        continue;
      }
      const settled = first.then(
        () => "settled" as const,
        () => "settled" as const,
      );
      if ((await (reading ? Promise.race([reading, settled]) : settled)) === "settled") {
        running.shift();
        yield await first;
      }
    }
  } finally {
    reading?.catch(() => undefined);
    // Not awaited: a source that is waiting for its own next item would hold the end of this one back.
    source.return?.().catch(() => undefined);
  }
}
