/**
 * Which documents are right answers: query id -> document id -> grade. A grade of 1 or more is relevant, 0 and less is
 * judged and not relevant; a document without a grade is unjudged.
 */
export type Judgements = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** What a system found: query id -> document id -> score, in any order. */
export type RunScores = ReadonlyMap<string, ReadonlyMap<string, number>>;
