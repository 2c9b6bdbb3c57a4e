/** What a metric measures. */
export type MetricKind = "nDCG" | "MRR" | "Recall" | "MAP" | "P" | "hit" | "judged";

/** A metric, with the number of first documents that it looks at. */
export interface Metric {
  /** As it is written: "nDCG@10", "MAP". */
  readonly name: string;
  readonly kind: MetricKind;
  /** Documents that are looked at; Infinity without a cutoff. */
  readonly cutoff: number;
}

const kinds: readonly MetricKind[] = ["nDCG", "MRR", "Recall", "MAP", "P", "hit", "judged"];
/** These mean nothing over a ranking of any length. */
const needCutoff: ReadonlySet<MetricKind> = new Set(["Recall", "P", "hit", "judged"]);

/** What is measured unless something else is asked for. */
export const defaultMetrics: readonly string[] = [
  "nDCG@10",
  "MRR@10",
  "Recall@10",
  "Recall@100",
  "MAP",
  "P@10",
  "hit@1",
  "hit@10",
  "judged@10",
];

/**
 * Reads the name of a metric: a kind (nDCG, MRR, Recall, MAP, P, hit, judged; case does not matter) and "@" with a
 * cutoff, which nDCG, MRR and MAP can do without.
 * @throws RangeError when there is no such metric.
 */
export function parseMetric(text: string): Metric {
  const [, word = "", digits] = /^([a-z]+)(?:@([0-9]{1,9}))?$/iu.exec(text.trim()) ?? [];
  const kind = kinds.find((one) => one.toLowerCase() === word.toLowerCase());
  const cutoff = digits === undefined ? Infinity : Number(digits);
  if (kind === undefined || cutoff < 1 || (cutoff === Infinity && needCutoff.has(kind))) {
    throw new RangeError(
      `"${text}" is no metric. There are nDCG, MRR and MAP with or without a cutoff (nDCG@10, MAP), and Recall, P, hit and judged with one (Recall@100).`,
    );
  }
  return { name: digits === undefined ? kind : `${kind}@${cutoff}`, kind, cutoff };
}
