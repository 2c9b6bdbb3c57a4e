import type { FusedCandidate } from "./fuse.js";
import { zScores } from "./normalise.js";

/** A fused candidate after reranking. */
export interface RerankedCandidate extends FusedCandidate {
  /** The CrossEncoder's own score; absent when the candidate was not reranked. */
  readonly rerankScore?: number;
  /** What the reranked candidates are sorted by; absent when the candidate was not reranked. */
  readonly mixedScore?: number;
}

/**
 * Sorts fused candidates by (1 - mix) * z(fused score) + mix * z(CrossEncoder score), both standard scores taken over the
 * reranked candidates alone; ties keep the fused order. Candidates without a CrossEncoder score follow in fused order, so
 * with no score at all the fused order stays. A mix of 0 keeps the order of the reranked candidates, a mix of 1 is that of
 * the CrossEncoder alone.
 * @param fused in fused order, as from `fuse`.
 * @param rerankScores CrossEncoder score by row.
 * @param mix share of the CrossEncoder, from 0 to 1.
 * @throws RangeError when the mix or a score is not usable.
 */
export function mixRerank(
  fused: readonly FusedCandidate[],
  rerankScores: ReadonlyMap<number, number>,
  mix: number,
): RerankedCandidate[] {
  if (!(mix >= 0 && mix <= 1)) throw new RangeError(`the rerank mix is ${mix}; it must be from 0 to 1`);
  const reranked: { candidate: FusedCandidate; rerankScore: number }[] = [];
  const rest: FusedCandidate[] = [];
  for (const candidate of fused) {
    const rerankScore = rerankScores.get(candidate.row);
    if (rerankScore === undefined) rest.push(candidate);
    else if (Number.isFinite(rerankScore)) reranked.push({ candidate, rerankScore });
    else throw new RangeError(`the CrossEncoder gave row ${candidate.row} the score ${rerankScore}`);
  }
  const fusedZ = zScores(reranked.map(({ candidate }) => candidate.score));
  const rerankZ = zScores(reranked.map(({ rerankScore }) => rerankScore));
  const mixed = reranked.map(({ candidate, rerankScore }, i) => ({
    ...candidate,
    rerankScore,
    mixedScore: (1 - mix) * (fusedZ[i] as number) + mix * (rerankZ[i] as number),
  }));
  return [...mixed.sort((a, b) => b.mixedScore - a.mixedScore), ...rest];
}
