import type { ChunkSpan } from "./chunk-span.js";
import type { TermCounts } from "./term-counts.js";

/** How good a chunk is to find and to read, each score from 0 to 1. */
export interface QualityScores {
  readonly semantic: number;
  readonly structural: number;
  readonly retrievalQuality: number;
  readonly overall: number;
  /** What is wrong with it, if anything. */
  readonly flags: readonly QualityFlag[];
}

/**
 * What may be wrong with a chunk: hardly any terms, hardly any letters, the same terms again and again, links and little
 * else, a border inside a sentence, row or line, or a low score of retrieval quality.
 */
export const qualityFlags = ["few_terms", "few_words", "repetitive", "links", "cut", "low_quality"] as const;
/** One of {@link qualityFlags}. */
export type QualityFlag = (typeof qualityFlags)[number];

/** Prose has about 0.8 letters and digits among its signs, code about 0.7. */
const goodWording = 0.65;
const goodVariety = 0.5;
/** From a quarter of the budget on, a chunk says enough by itself. */
const goodFill = 0.25;
const lowQuality = 0.5;
const fewTerms = 4;
const mostLinks = 0.75;
/** A link of Markdown or a bare address. */
const link = /\[[^[\]\n]*\]\([^()\n]*\)|\bhttps?:[^\s)\]]+/g;

/**
 * Scores of a chunk:
 * - semantic = mean of wording (letters and digits among the core's signs, over 0.65), variety (different terms among all
 *   terms, over 0.5) and wholeness (half for a core that begins, half for one that ends where a sentence, row or line does);
 * - structural = mean of: it stands under a heading; it is in one section below the root or the document has none; its first
 *   and its last block are there whole;
 * - retrieval quality = 0.5 semantic + 0.2 structural + 0.3 fill (tokens over a quarter of the budget);
 * - overall = mean of the three. Every term is cut to 1.
 */
export function qualityScores(
  text: string,
  span: ChunkSpan,
  { unique, total }: TermCounts,
  maxTokens: number,
): QualityScores {
  const core = text.slice(span.start, span.end);
  const wording = wordingOf(core);
  const variety = total === 0 ? 0 : Math.min(1, unique / total / goodVariety);
  const wholeness = ((span.startsWhole ? 1 : 0) + (span.endsWhole ? 1 : 0)) / 2;
  const [first] = span.blocks;
  const last = span.blocks.at(-1);
  const wholeBlocks = ((first?.start ?? 0) >= span.start ? 0.5 : 0) + ((last?.end ?? 0) <= span.end ? 0.5 : 0);
  const headed = span.section.path.length > 0 ? 1 : 0;
  const single = headed === 1 || span.section.children.length === 0 ? 1 : 0;
  const semantic = (Math.min(1, wording / goodWording) + variety + wholeness) / 3;
  const structural = (headed + single + wholeBlocks) / 3;
  const fill = Math.min(1, span.tokens / (maxTokens * goodFill));
  const retrievalQuality = 0.5 * semantic + 0.2 * structural + 0.3 * fill;
  const flags: QualityFlag[] = [];
  if (total < fewTerms) flags.push("few_terms");
  if (wording < goodWording / 2) flags.push("few_words");
  if (total >= fewTerms * 5 && unique / total < 0.2) flags.push("repetitive");
  if (linkShare(core) > mostLinks) flags.push("links");
  if (wholeness < 1) flags.push("cut");
  if (retrievalQuality < lowQuality) flags.push("low_quality");
  return {
    semantic: rounded(semantic),
    structural: rounded(structural),
    retrievalQuality: rounded(retrievalQuality),
    overall: rounded((semantic + structural + retrievalQuality) / 3),
    flags,
  };
}

/** The share of letters and digits among what is not white space. */
function wordingOf(core: string): number {
  let signs = 0;
  let letters = 0;
  for (let i = 0; i < core.length; i++) {
    const code = core.charCodeAt(i);
    if (code <= 32) continue;
    signs++;
    const isAsciiLetter = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
    if (isAsciiLetter || (code > 127 && /[\p{L}\p{N}\p{M}\p{Cs}]/u.test(core.charAt(i)))) letters++;
  }
  return signs === 0 ? 0 : letters / signs;
}

/** The share of links in what is not white space, such as in tables of contents. */
function linkShare(core: string): number {
  if (!core.includes("](") && !core.includes("http")) return 0;
  const signs = core.replace(/\s+/g, "").length;
  const linked = core.match(link)?.reduce((sum, found) => sum + found.replace(/\s+/g, "").length, 0) ?? 0;
  return signs === 0 ? 0 : linked / signs;
}

function rounded(value: number): number {
  return Number(value.toFixed(6));
}
