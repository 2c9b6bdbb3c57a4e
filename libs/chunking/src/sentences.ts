const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });
const stretchLength = 4096;

/** Where sentences start, by the rules of Unicode. A line break inside a paragraph ends none. */
export function cutSentences(text: string, start: number, end: number): number[] {
  const cuts: number[] = [];
  // Segmenting takes time that grows with the square of the length, so it is done a stretch at a time; each stretch
  // begins where a sentence does, unless a sentence is longer than that.
  for (let at = start; at < end; ) {
    const to = Math.min(end, at + stretchLength);
    const oneLine = text.slice(at, to).replace(/[\r\n]/g, " ");
    let last = at;
    for (const { index } of segmenter.segment(oneLine)) {
      last = at + index;
      if (index > 0) cuts.push(last);
    }
    at = to < end && last > at ? last : to;
  }
  return cuts;
}
