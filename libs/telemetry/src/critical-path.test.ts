import fc from "fast-check";
import { expect, test } from "vitest";
import { criticalPath } from "./critical-path.js";
import { TraceFormatError } from "./read-spans.js";
import { readTrace, type TraceNode } from "./trace-tree.js";

type Spec = readonly [name: string, from: number, to: number, ...children: Spec[]];

function tree([name, startMs, endMs, ...children]: Spec): TraceNode {
  const ids = {
    traceId: "t",
    spanId: name,
    service: "s",
    pid: 1,
    isError: false,
    attributes: {},
    events: [],
    links: [],
  };
  return { ...ids, name, startMs, endMs, children: children.map(tree).sort((a, b) => a.startMs - b.startMs) };
}

const steps = (spec: Spec): Record<string, number> =>
  Object.fromEntries(criticalPath(tree(spec)).map(({ node, ms }) => [node.name, ms]));

test.each<{ what: string; spec: Spec; path: Record<string, number> }>([
  { what: "one span alone", spec: ["run", 0, 10], path: { run: 10 } },
  {
    what: "children one after the other, with gaps of the parent",
    spec: ["run", 0, 10, ["a", 1, 4], ["b", 5, 9]],
    path: { run: 3, a: 3, b: 4 },
  },
  {
    what: "of children side by side the one that ended last",
    spec: ["run", 0, 10, ["short", 0, 4], ["long", 1, 10]],
    path: { long: 9, short: 1 },
  },
  {
    what: "a batch that waited for the one before it is not blamed for that",
    spec: ["run", 0, 10, ["a.batch", 0, 5, ["w1", 0, 5]], ["b.batch", 0, 10, ["w2", 5, 9]]],
    path: { w1: 5, w2: 4, "b.batch": 1 },
  },
  {
    what: "a child whose clock is off is cut to its parent",
    spec: ["run", 0, 10, ["a", -5, 12]],
    path: { a: 10 },
  },
])("the critical path of $what", ({ spec, path }) => {
  expect(steps(spec)).toEqual(path);
});

test("the steps always add up to the root's duration", () => {
  const times = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }));
  const spec = (a: number, b: number, children: Spec[]): Spec => ["n", Math.min(a, b), Math.max(a, b), ...children];
  const level = (below: fc.Arbitrary<Spec>): fc.Arbitrary<Spec> =>
    fc.tuple(times, fc.array(below, { maxLength: 3 })).map(([[a, b], children]) => spec(a, b, children));
  const spans = level(level(level(times.map(([a, b]) => spec(a, b, [])))));
  fc.assert(
    fc.property(spans, (spec) => {
      const root = tree(spec);
      const sum = criticalPath(root).reduce((total, { ms }) => total + ms, 0);
      expect(sum).toBeCloseTo(root.endMs - root.startMs, 6);
    }),
    { seed: 6, numRuns: 500 },
  );
});

const span = (spanId: string, parentSpanId?: string) => ({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId,
  ...(parentSpanId ? { parentSpanId } : {}),
  name: spanId,
  startTimeUnixNano: "1000000",
  endTimeUnixNano: "2500000",
});
const request = (...spans: object[]) =>
  JSON.stringify({
    resourceSpans: [
      { resource: { attributes: [{ key: "service.name", value: { stringValue: "x" } }] }, scopeSpans: [{ spans }] },
    ],
  });

test("a file may hold one request, or one a line; a span whose parent is elsewhere is a root", () => {
  const { roots, spanCount, orphanCount } = readTrace(
    `${request(span("a"))}\n${request(span("b", "a"), span("c", "z"))}\n`,
  );
  expect([spanCount, orphanCount]).toEqual([3, 1]);
  expect(roots.map(({ name, children }) => [name, children.map((child) => child.name)])).toEqual([
    ["a", ["b"]],
    ["c", []],
  ]);
  expect(roots[0]).toMatchObject({ service: "x", startMs: 1, endMs: 2.5 });
});

test.each([
  ["no JSON", "{"],
  ["no spans", "{}"],
  ["broken spans", request({ spanId: "a", startTimeUnixNano: "never" })],
])("a file with %s is refused in a sentence", (_, text) => {
  expect(() => readTrace(text)).toThrow(TraceFormatError);
});
