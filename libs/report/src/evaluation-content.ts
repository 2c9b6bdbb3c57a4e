/** What `ragline eval` found, as its page is drawn from it. */
export interface EvaluationContent {
  readonly dataset: {
    readonly name: string;
    readonly format: string;
    readonly split: string;
    readonly queries: number;
    readonly judgements: number;
  };
  /** The run that was evaluated; null where only run files were. */
  readonly run: Readonly<Record<string, unknown>> | null;
  /** Ids of the queries. */
  readonly queries: readonly string[];
  readonly modes: readonly EvaluatedMode[];
  readonly comparisons: readonly {
    readonly a: string;
    readonly b: string;
    readonly metrics: readonly {
      readonly metric: string;
      readonly difference: number;
      readonly low: number;
      readonly high: number;
      readonly p: number;
    }[];
  }[];
  readonly warnings: readonly { readonly detail: string; readonly count: number }[];
}

/** One ranking as it was measured. */
export interface EvaluatedMode {
  readonly name: string;
  readonly kind: string;
  /** Metric -> mean and its 95 % interval. */
  readonly metrics: Readonly<Record<string, { readonly mean: number; readonly low: number; readonly high: number }>>;
  /** Metric -> value of each query. */
  readonly perQuery: Readonly<Record<string, readonly number[]>>;
}
