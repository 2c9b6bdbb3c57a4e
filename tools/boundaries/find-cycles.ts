/** A directed graph: each node with the nodes it points to. */
export type Graph = ReadonlyMap<string, Iterable<string>>;

/**
 * One cycle for each edge that closes one on a depth-first walk: none exactly when the graph has none.
 *
 * @returns each cycle as its nodes in order, the first repeated at the end
 */
export function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    if (finished.has(node)) return;
    const start = path.indexOf(node);
    if (start >= 0) {
      cycles.push([...path.slice(start), node]);
      return;
    }
    path.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    path.pop();
    finished.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}
