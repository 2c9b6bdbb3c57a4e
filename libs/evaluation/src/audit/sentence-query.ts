import { plainText, words } from "../plain-text.js";

/** How far into a chunk its first sentence is looked for, in characters: bounds the work on a text of any length. */
const searchedCharacters = 4000;

/** Openings that only make sense after what stands before, labels ("Sources: ...") and pointers to other places. */
const leansOnContext =
  /^(?:it|its|they|their|these|those|this|that|such|here|there|both|however|also|then|see|the following)\b|^[\p{L}]+:|\b(?:see|refer to)\s/iu;

/** A full stop after one of these, or after an initial, ends no sentence. */
const abbreviation =
  /(?:^|[\s(])(?:\p{L}|e\.g|i\.e|etc|vs|cf|figs?|eqs?|nos?|dr|mrs?|ms|prof|st|al|approx|resp|vol|pp)\.$/iu;

/** Marks of a list, table, inner heading, bare address, formula or data: words between them are no sentence. */
const notProse = /^(?:[-*+•] |\d+[.)] )|\s(?:[-*+•]|\d+[.)])(?: |$)|\||(?:^|\s)#{1,6} |(?<!\()https?:|\$\$|[{}]/u;

/** A bold or italic label before a sentence, as in "**Figure 2: Layout** The parser reads". */
const label = /^(\*\*?|__?)[^*_]+\1:?\s+(?=[\p{Lu}`])/u;

/**
 * The query that a chunk's prose makes: the first sentence of a paragraph, of 5 to 40 words, that stands on its own;
 * Markdown is removed. Code, tables, lists, headings and collections of links are passed over. Undefined when there is
 * no such sentence.
 * @param heading the chunk's heading, which some chunkers put before the prose on the same line.
 */
export function sentenceQuery(text: string, heading: string): string | undefined {
  const prose = text
    .slice(0, searchedCharacters)
    .replace(/\r\n?/gu, "\n")
    .replace(/(```|~~~)[\s\S]*?(?:\1|$)/gu, "\n\n")
    .replace(
      /^#+[ \t]+(.*)$/gmu,
      (_, line: string) => `\n${line.startsWith(heading) ? line.slice(heading.length) : ""}\n`,
    );
  for (const paragraph of prose.split(/\n\s*\n/u)) {
    const sentence = firstSentence(paragraph);
    if (sentence !== undefined) return sentence;
  }
  return undefined;
}

function firstSentence(paragraph: string): string | undefined {
  if (/^\n*(?: {4}|\t)/u.test(paragraph)) return undefined;
  const line = paragraph
    .replace(/^\s*> ?/gmu, "")
    .replace(/\s+/gu, " ")
    .trim()
    .replace(label, "");
  const source = untilSentenceEnd(line);
  if (source === undefined || notProse.test(source)) return undefined;
  const sentence = plainText(source);
  const count = words(sentence).length;
  if (count < 5 || count > 40 || leansOnContext.test(sentence) || /^\p{Ll}/u.test(sentence)) return undefined;
  const linked = Array.from(source.matchAll(/\[([^[\]]*)\]\(/gu), (link) => link[1] as string).join(" ");
  return 2 * words(linked).length > count ? undefined : sentence;
}

function untilSentenceEnd(line: string): string | undefined {
  for (const match of line.matchAll(/[。！？]|[.!?]+["'”’)\]*_`]*(?=\s|$)/gu)) {
    const sentence = line.slice(0, match.index + match[0].length);
    if (!abbreviation.test(sentence)) return sentence;
  }
  return undefined;
}
