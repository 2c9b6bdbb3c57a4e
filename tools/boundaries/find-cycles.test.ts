import fc from "fast-check";
import { expect, test } from "vitest";
import { findCycles } from "./find-cycles.js";

const graphs = fc.array(fc.tuple(fc.nat(8), fc.nat(8)), { maxLength: 20 }).map((edges) => {
  const graph = new Map<string, string[]>();
  for (const [from, to] of edges) graph.set(`${from}`, [...(graph.get(`${from}`) ?? []), `${to}`]);
  return graph;
});

/** Kahn's test: a graph has no cycle exactly when nodes without incoming edges can be removed until none is left. */
function isAcyclic(graph: Map<string, string[]>): boolean {
  const left = new Map(graph);
  for (;;) {
    const targets = new Set([...left.values()].flat());
    const free = [...left.keys()].filter((node) => !targets.has(node));
    if (free.length === 0) return left.size === 0;
    for (const node of free) left.delete(node);
  }
}

test("finds a cycle exactly where there is one, and each is a closed walk along edges", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const cycles = findCycles(graph);
      expect(cycles.length === 0).toBe(isAcyclic(graph));
      for (const cycle of cycles) {
        expect(cycle[0]).toBe(cycle.at(-1));
        for (let i = 1; i < cycle.length; i++) expect(graph.get(cycle[i - 1] ?? "")).toContain(cycle[i]);
      }
    }),
    { seed: 3, numRuns: 300 },
  );
});
