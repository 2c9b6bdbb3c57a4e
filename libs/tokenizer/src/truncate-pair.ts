/** How many tokens of each text of a pair are kept. */
export interface KeptTokens {
  readonly first: number;
  readonly second: number;
}

/** Cuts the second text; the first one only where it alone leaves no room. */
export function truncateOnlySecond(first: number, second: number, room: number): KeptTokens {
  const keptFirst = Math.min(first, room);
  return { first: keptFirst, second: Math.min(second, room - keptFirst) };
}

/**
 * Cuts the longer text down to what the shorter one leaves, and both to half where neither fits half.
 * Counts as Hugging Face's `tokenizers` does for "longest_first".
 */
export function truncateLongestFirst(first: number, second: number, room: number): KeptTokens {
  if (first + second <= room) return { first, second };
  const shorter = Math.min(first, second);
  const half = Math.floor(room / 2);
  // The odd token goes to the longer text, to the second where both are as long.
  const [short, long] = shorter > half ? [half, room - half] : [shorter, room - shorter];
  return first > second ? { first: long, second: short } : { first: short, second: long };
}
