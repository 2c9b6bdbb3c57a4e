/** How one query is scored within a latency target. */
export interface LatencyPlan {
  /** How many of its candidates are scored, the best ones first. */
  readonly candidates: number;
  /** How many pairs are given to the model at once; between them the clock is looked at. */
  readonly pairsAtOnce: number;
}

// A query that took less than this share of the target shows that there is room again.
const roomyShare = 0.5;
// So many roomy queries in a row make the next step back.
const roomyStreak = 8;
const firstPairsAtOnce = 64;
// No query of a run has more candidates.
const mostCandidates = 10_000;

/**
 * Keeps the time that the scores of one query take under a target: first fewer pairs are computed at once, then fewer
 * candidates are scored; with room to spare both grow back in the other order.
 */
export class LatencyGovernor {
  readonly targetSeconds: number;
  readonly #onCut: (() => void) | undefined;
  #pairsAtOnce = firstPairsAtOnce;
  #maxCandidates = mostCandidates;
  #fewestPairs = firstPairsAtOnce;
  #fewestCandidates: number | undefined;
  #cuts = 0;
  #roomy = 0;

  /**
   * @param targetSeconds what the scores of one query may take; 0 is as long as they need.
   * @param onCut told each time fewer pairs are computed at once.
   */
  constructor(targetSeconds: number, onCut?: () => void) {
    this.targetSeconds = targetSeconds;
    this.#onCut = onCut;
  }

  /** What was cut so far, as a sentence for a person; undefined if nothing was. */
  get report(): { readonly cuts: number; readonly detail: string } | undefined {
    if (this.#cuts === 0) return undefined;
    const most = `at most ${this.#fewestPairs} pairs were computed at once`;
    const fewer =
      this.#fewestCandidates === undefined ? "" : `, then at most ${this.#fewestCandidates} candidates were scored`;
    const detail = `the scores of a query took longer than ${this.targetSeconds * 1000} ms ${this.#cuts} time(s): ${most}${fewer}`;
    return { cuts: this.#cuts, detail };
  }

  /** How to score a query with so many candidates. */
  plan(candidates: number): LatencyPlan {
    if (this.targetSeconds === 0) return { candidates, pairsAtOnce: Math.max(1, candidates) };
    return { candidates: Math.min(candidates, this.#maxCandidates), pairsAtOnce: this.#pairsAtOnce };
  }

  /** Learns from a query of which `scored` candidates took so many seconds. */
  observe(seconds: number, scored: number): void {
    if (this.targetSeconds === 0 || scored === 0) return;
    if (seconds > this.targetSeconds) this.#cut(scored);
    else if (seconds > roomyShare * this.targetSeconds) this.#roomy = 0;
    else if (++this.#roomy >= roomyStreak) this.#grow();
  }

  #cut(scored: number): void {
    this.#roomy = 0;
    this.#cuts++;
    if (this.#pairsAtOnce > 1) {
      this.#pairsAtOnce >>= 1;
      this.#fewestPairs = Math.min(this.#fewestPairs, this.#pairsAtOnce);
      this.#onCut?.();
    } else {
      this.#maxCandidates = Math.max(1, Math.min(scored, this.#maxCandidates) >> 1);
      this.#fewestCandidates = Math.min(this.#fewestCandidates ?? Infinity, this.#maxCandidates);
    }
  }

  #grow(): void {
    this.#roomy = 0;
    if (this.#maxCandidates < mostCandidates) this.#maxCandidates *= 2;
    else if (this.#pairsAtOnce < firstPairsAtOnce) this.#pairsAtOnce *= 2;
  }
}
