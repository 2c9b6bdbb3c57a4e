/** What computes the scores of a result list. */
export type ListKind = "dense" | "learned-sparse" | "bm25";

/** Names of the kinds, as users write them in weights. */
const kindNames: Readonly<Record<string, ListKind>> = { dense: "dense", sparse: "learned-sparse", bm25: "bm25" };
const weightOfKind: Readonly<Record<ListKind, number>> = { dense: 2, "learned-sparse": 1, bm25: 1 };
const primaryShare = 3;

/** A result list as far as its weight goes. */
export interface WeighedList {
  /** Name of the model, unique among the lists. */
  readonly name: string;
  readonly kind: ListKind;
}

/** Weights that cannot be used; the message says which and what can be given. */
export class FusionWeightError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FusionWeightError";
  }
}

/**
 * Reads weights such as `dense=2`, `sparse=1`, `bm25=1` or `<model>=0.5`.
 * @throws FusionWeightError for anything else, a name twice, or a weight that is not a number of 0 or more.
 */
export function parseFusionWeights(entries: readonly string[]): Map<string, number> {
  const weights = new Map<string, number>();
  for (const entry of entries) {
    const at = entry.lastIndexOf("=");
    const [name, digits] = [entry.slice(0, Math.max(0, at)).trim(), entry.slice(at + 1).trim()];
    const weight = digits === "" ? Number.NaN : Number(digits);
    if (at < 1 || name === "" || !Number.isFinite(weight) || weight < 0) {
      throw new FusionWeightError(
        `"${entry}" is no weight; give <name>=<number of 0 or more>, such as dense=2, sparse=1, bm25=1 or a model's name`,
      );
    }
    if (weights.has(name)) throw new FusionWeightError(`the weight of "${name}" is given twice`);
    weights.set(name, weight);
  }
  return weights;
}

/**
 * Checks weights against the lists that there will be.
 * @throws FusionWeightError when a name is neither a kind nor a list, or every list would weigh 0.
 */
export function checkFusionWeights(lists: readonly WeighedList[], asked: ReadonlyMap<string, number>): void {
  const names = lists.map(({ name }) => name);
  for (const name of asked.keys()) {
    if (Object.hasOwn(kindNames, name) || names.includes(name)) continue;
    const valid = [...Object.keys(kindNames), ...names].join(", ");
    throw new FusionWeightError(`there is no list "${name}" to weigh; there are ${valid}`);
  }
  if (lists.length > 0 && [...listWeights(lists, asked).values()].every((weight) => weight === 0))
    throw new FusionWeightError("every result list would weigh 0; give one of them a weight above 0");
}

/**
 * The weight of each result list. All dense lists together weigh 2, learned sparse ones 1, BM25 1, so that a larger
 * ensemble does not outvote the other kinds. Within a kind the first model, the primary one, counts three times as much as
 * each of the others. Measured in docs/decisions/0003-fusion-defaults.md.
 * @param lists in order, the primary model of each kind before its companions.
 * @param asked weights in place of these: of a kind as a whole by `dense`, `sparse` or `bm25`, or of one list by its name,
 * which goes before its kind's. Names of other lists are passed over: a stage may have failed.
 */
export function listWeights(
  lists: readonly WeighedList[],
  asked: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  const kindWeight = { ...weightOfKind };
  for (const [name, kind] of Object.entries(kindNames)) kindWeight[kind] = asked.get(name) ?? kindWeight[kind];
  const weights = new Map<string, number>();
  for (const { name, kind } of lists) {
    const ofKind = lists.filter((other) => other.kind === kind);
    const share = ofKind[0]?.name === name ? primaryShare : 1;
    weights.set(name, asked.get(name) ?? (kindWeight[kind] * share) / (primaryShare + ofKind.length - 1));
  }
  return weights;
}
