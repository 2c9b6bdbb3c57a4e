// The Rust library's steps take time in the square of a text's length; slices of this size keep it in proportion.
const sliceLength = 4096;

/** Places where a text can be cut so that a step does the same to both parts as to the whole. */
export const cuts = {
  /** Before a single space between words: what splits or marks words starts anew there. */
  betweenWords: /(?<=\S)(?= \S)/g,
  /** Before any space: for what removes white space. */
  beforeSpaces: /(?= )/g,
  /** Between words, or between two ideographs, which are never combined into one. */
  betweenCharacters: /(?<=\S)(?= \S)|(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])/g,
} as const;

/** Parts of a text that together are the text; a text without places to cut is one part. */
export function textSlices(text: string, cut: RegExp): string[] {
  const slices: string[] = [];
  let start = 0;
  while (text.length - start > 2 * sliceLength) {
    cut.lastIndex = start + sliceLength;
    const found = cut.exec(text);
    if (!found) break;
    slices.push(text.slice(start, found.index));
    start = found.index;
  }
  slices.push(text.slice(start));
  return slices;
}
