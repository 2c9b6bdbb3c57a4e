/** Where a query comes from: what a sample is spread over. */
export interface Stratum {
  /** The chunk's document, as its metadata names it. */
  readonly document: string;
  /** What the chunk holds, such as "prose_section", as its metadata says. */
  readonly contentType: string;
}

/**
 * Chooses items so that every document is asked once before any is asked twice, and within that whichever content type was
 * asked least. Several calls share the counts. The same items in the same order give the same choice.
 */
export class StratifiedChoice {
  readonly #askedDocuments = new Map<string, number>();
  readonly #askedTypes = new Map<string, number>();

  /** At most `count` of the items; among those of one stratum the first ones. */
  take<Item extends Stratum>(items: readonly Item[], count: number): Item[] {
    const left = groupByStratum(items);
    const chosen: Item[] = [];
    while (chosen.length < count && left.size > 0) {
      let least = Infinity;
      for (const document of left.keys()) least = Math.min(least, this.#askedDocuments.get(document) ?? 0);
      for (const [document, byType] of left) {
        if (chosen.length === count) break;
        if ((this.#askedDocuments.get(document) ?? 0) > least) continue;
        chosen.push(this.#takeFrom(byType));
        this.#askedDocuments.set(document, least + 1);
        if (byType.size === 0) left.delete(document);
      }
    }
    return chosen;
  }

  /** Takes the next item of the content type that was asked least. */
  #takeFrom<Item extends Stratum>(byType: Map<string, Item[]>): Item {
    let rarest: string | undefined;
    for (const type of byType.keys())
      if (rarest === undefined || this.#asked(type) < this.#asked(rarest)) rarest = type;
    const type = rarest as string;
    const items = byType.get(type) as Item[];
    const item = items.pop() as Item;
    if (items.length === 0) byType.delete(type);
    this.#askedTypes.set(type, this.#asked(type) + 1);
    return item;
  }

  #asked(type: string): number {
    return this.#askedTypes.get(type) ?? 0;
  }
}

/** document -> content type -> its items, the first one last, where it can be taken off. */
function groupByStratum<Item extends Stratum>(items: readonly Item[]): Map<string, Map<string, Item[]>> {
  const groups = new Map<string, Map<string, Item[]>>();
  for (const item of items) {
    let byType = groups.get(item.document);
    if (byType === undefined) groups.set(item.document, (byType = new Map()));
    const same = byType.get(item.contentType);
    if (same === undefined) byType.set(item.contentType, [item]);
    else same.push(item);
  }
  for (const byType of groups.values()) for (const same of byType.values()) same.reverse();
  return groups;
}
