import type { TraceNode } from "./trace-tree.js";

/** A span's own part of the critical path: time in which nothing below it was waited for. */
export interface PathStep {
  readonly node: TraceNode;
  readonly ms: number;
}

/**
 * When a span began to be worked on. A batch waits in a queue until a worker takes it; what was done meanwhile are the
 * batches before it, so that time is theirs.
 */
function workedFrom({ name, startMs, children }: TraceNode): number {
  const [first] = children;
  return name.endsWith(".batch") && first ? first.startMs : startMs;
}

/**
 * The steps that decide how long a trace took, by their first appearance: at each moment the deepest span that was
 * waited for. Going back from the end, what a span waited for last is the child that ended last; before that child
 * began, the one that ended last until then. Their times add up to the root's duration.
 */
export function criticalPath(root: TraceNode): PathStep[] {
  const own = new Map<TraceNode, number>();
  const add = (node: TraceNode, ms: number): void => {
    if (ms > 0) own.set(node, (own.get(node) ?? 0) + ms);
  };
  // Recursion is as deep as the trace, which is some levels.
  const walk = (node: TraceNode, from: number, until: number): void => {
    let at = until;
    for (const child of node.children.toSorted((a, b) => b.endMs - a.endMs)) {
      const end = Math.min(child.endMs, at);
      const start = Math.max(workedFrom(child), from);
      if (end <= start) continue;
      add(node, at - end);
      walk(child, start, end);
      at = start;
    }
    add(node, at - from);
  };
  walk(root, root.startMs, root.endMs);
  return [...own]
    .map(([node, ms]) => ({ node, ms }))
    .sort((a, b) => a.node.startMs - b.node.startMs || b.node.endMs - a.node.endMs);
}
