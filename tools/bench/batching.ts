/** Positions of the texts of one call of the model. */
export type Batch = readonly number[];

/** The items in batches of `size`, in their order. */
export function inBatches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, batch) =>
    items.slice(batch * size, (batch + 1) * size),
  );
}

/** All positions by length, the longest first: batches of them hold little padding, and the last ones are short. */
export function longestFirst(lengths: readonly number[]): number[] {
  const keyed = lengths.map((length, position) => ({ length, position }));
  return keyed.sort((a, b) => b.length - a.length).map(({ position }) => position);
}

/** The items whose index leaves `offset` when divided by `step`. */
export function every<Item>(items: readonly Item[], step: number, offset = 0): Item[] {
  return items.filter((_, index) => index % step === offset);
}

/**
 * Gives each batch to one of `shares` shares, the dearest first, always to the one with the least cost so far.
 * @param costs what each batch costs, such as its padded tokens.
 */
export function splitEvenly(batches: readonly Batch[], costs: readonly number[], shares: number): Batch[][] {
  const split = Array.from({ length: shares }, () => ({ cost: 0, batches: [] as Batch[] }));
  for (const index of longestFirst(costs)) {
    const least = split.reduce((a, b) => (b.cost < a.cost ? b : a));
    least.cost += costs[index] ?? 0;
    least.batches.push(batches[index] ?? []);
  }
  return split.map((share) => share.batches);
}
