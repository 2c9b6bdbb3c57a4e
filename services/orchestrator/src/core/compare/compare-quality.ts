import type { Manifest } from "@ragline/artifacts";
import {
  bootstrapInterval,
  type KnownItemFigure,
  knownItemFigures,
  pairedDifferences,
  pairedRandomisationTest,
} from "@ragline/evaluation";
import type { Change } from "./compare-parts.js";

/** One figure of one ranking in two runs. */
export interface QualityChange extends Change<number> {
  /** A model's key, "fused" or "reranked". */
  readonly ranking: string;
  readonly metric: "hit@1" | "hit@10" | "MRR@10";
  /** Over the queries of both runs; null where they have none in common. */
  readonly paired: {
    readonly queries: number;
    /** Mean of b - a. */
    readonly difference: number;
    /** 95 % bootstrap interval of the difference. */
    readonly low: number;
    readonly high: number;
    /** Two-sided p of a paired randomisation test. */
    readonly p: number;
  } | null;
}

/** The self-audits of two runs. */
export interface QualityComparison {
  /** Queries of both, of the first alone and of the second alone. */
  readonly queries: { readonly same: number; readonly onlyA: number; readonly onlyB: number };
  readonly changes: readonly QualityChange[];
}

const metrics: readonly (readonly [KnownItemFigure, QualityChange["metric"]])[] = [
  ["hitAt1", "hit@1"],
  ["hitAt10", "hit@10"],
  ["mrrAt10", "MRR@10"],
];

type Ranks = Readonly<Record<string, number | null>>;

/** Ranks of each query's answer, by what the query is known by. */
function ranksByQuery({ evaluation }: Manifest): Map<string, Ranks> {
  return new Map((evaluation?.per_query ?? []).map(({ kind, query, ranks }) => [`${kind} ${query.sha256}`, ranks]));
}

/** A share of the random numbers that `ragline eval` takes is enough for the few queries of an audit. */
const samples = { test: 20_000, interval: 5000 };

/**
 * Compares the self-audits of two runs. Queries are the same when they have the same words, whichever chunk they came from:
 * each run is asked for its own chunk.
 */
export function compareQuality(a: Manifest, b: Manifest): QualityComparison {
  const [queriesA, queriesB] = [ranksByQuery(a), ranksByQuery(b)];
  const same = [...queriesA.keys()].filter((key) => queriesB.has(key));
  const [rowsA, rowsB] = [a, b].map(({ evaluation }) => evaluation?.rankings ?? []);
  const names = [...new Set([...(rowsA ?? []), ...(rowsB ?? [])].map(({ ranking }) => ranking))];
  const changes = names.flatMap((ranking) =>
    metrics.map(([figure, metric]): QualityChange => {
      const valueOf = (rows: typeof rowsA) => rows?.find((row) => row.ranking === ranking)?.[figure] ?? null;
      return {
        ranking,
        metric,
        a: valueOf(rowsA),
        b: valueOf(rowsB),
        paired: pairedChange(
          same.map((key) => [queriesA.get(key)?.[ranking], queriesB.get(key)?.[ranking]]),
          knownItemFigures[figure],
        ),
      };
    }),
  );
  const shared = same.length;
  return { queries: { same: shared, onlyA: queriesA.size - shared, onlyB: queriesB.size - shared }, changes };
}

function pairedChange(
  ranks: readonly (readonly [number | null | undefined, number | null | undefined])[],
  figure: (rank: number | null) => number,
): QualityChange["paired"] {
  const pairs = ranks.filter((pair): pair is [number | null, number | null] => !pair.includes(undefined));
  if (pairs.length === 0) return null;
  const [valuesA, valuesB] = [pairs.map(([rank]) => figure(rank)), pairs.map(([, rank]) => figure(rank))];
  const { difference, p } = pairedRandomisationTest(valuesA, valuesB, { samples: samples.test });
  const { low, high } = bootstrapInterval(pairedDifferences(valuesA, valuesB), { samples: samples.interval });
  return { queries: pairs.length, difference, low, high, p };
}
