/**
 * Maps a stream with up to `ahead` items being worked on at once and yields the results in the order of the items.
 * A result is yielded as soon as it is the next in order, whether or not more input has come; the input is read no
 * further than `ahead`, so memory stays bounded and a slow reader slows the source. `ahead` is asked before each item,
 * since what works on them may grow.
 * @throws whatever `map` or the input throws first, in the order of the items: results before it are yielded.
 */
export async function* mapInOrder<Item, Result>(
  items: AsyncIterable<Item>,
  ahead: () => number,
  map: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  const source = items[Symbol.asyncIterator]();
  let ended = false;
  let reading: Promise<"read"> | undefined;
  const enqueue = (result: Promise<Result>): void => {
    // Its failure is told when its turn comes; until then it must not count as unhandled.
    result.catch(() => undefined);
    running.push(result);
  };
  /** Never rejects: what the input throws takes its place in the line behind the items before it. */
  const read = async (): Promise<"read"> => {
    try {
      const next = await source.next();
      if (next.done) ended = true;
      else enqueue(map(next.value));
    } catch (error) {
      ended = true;
      enqueue(Promise.reject(error));
    }
    return "read";
  };
  try {
    while (!ended || running.length > 0) {
      if (!ended && running.length < ahead()) reading ??= read();
      const [first] = running;
      if (!first) {
        await reading;
        reading = undefined;
        continue;
      }
      const settled = first.then(
        () => "settled" as const,
        () => "settled" as const,
      );
      const done = await (reading ? Promise.race([reading, settled]) : settled);
      if (done === "read") {
        reading = undefined;
      } else {
        void running.shift(); // the same as `first`
        yield await first;
      }
    }
  } finally {
    // Not awaited: a source that is waiting for its own next item would hold the end of this one back.
    source.return?.().catch(() => undefined);
  }
}
