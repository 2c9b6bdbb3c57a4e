import { readSpans, TraceFormatError, type TraceSpan } from "./read-spans.js";

/** A span of a trace, with what is below it. */
export interface TraceNode extends Omit<TraceSpan, "parentSpanId"> {
  /** By their start. */
  readonly children: readonly TraceNode[];
}

/** What a trace file holds. */
export interface TraceTree {
  /** Spans without a parent, or whose parent is not in the file, by their start. */
  readonly roots: readonly TraceNode[];
  readonly spanCount: number;
  /** Spans whose parent is not in the file. */
  readonly orphanCount: number;
}

/**
 * Reads OTLP JSON as {@link readSpans} does, and hangs each span below its parent.
 * @throws TraceFormatError when the text is none, or has no span
 */
export function readTrace(text: string): TraceTree {
  const found = readSpans(text).map(({ parentSpanId: parent, ...span }) => ({
    node: { ...span, children: [] as TraceNode[] },
    parent,
  }));
  if (found.length === 0)
    throw new TraceFormatError("it holds no spans; expected OTLP JSON, as --trace-file writes it");
  const byId = new Map(found.map(({ node }) => [node.spanId, node]));
  const roots: TraceNode[] = [];
  let orphanCount = 0;
  for (const { node, parent } of found) {
    const above = parent === "" ? undefined : byId.get(parent);
    if (above && above !== node) above.children.push(node);
    else roots.push(node);
    if (parent !== "" && !above) orphanCount++;
  }
  const byStart = (a: TraceNode, b: TraceNode): number => a.startMs - b.startMs;
  for (const { node } of found) node.children.sort(byStart);
  return { roots: roots.sort(byStart), spanCount: found.length, orphanCount };
}
