import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-node";

/** Where spans go. */
export interface SpanSink {
  /** Takes spans that belong together, all or none. Throws nothing and keeps its own count of what it had to drop. */
  take(spans: readonly ReadableSpan[]): void;
}

/** Spans of one part of a trace: from a span whose parent is in another process, or nowhere, downwards. */
interface LocalTree {
  readonly ended: ReadableSpan[];
  readonly traceId: string;
  /** How many were started, the dropped ones left out. */
  started: number;
  readonly dropped: Set<string>;
  topHasEnded: boolean;
}

const defaultMaxSpansPerTree = 5000;

/**
 * Holds spans back until the topmost one of this process has ended, then hands all of them on together: whoever gets a
 * span gets its parent as well, also when a process dies in between. Beyond a limit new spans are dropped, with
 * everything below them, and counted.
 */
export class SpanKeeper implements SpanProcessor {
  readonly sinks = new Set<SpanSink>();
  readonly #trees = new Map<string, LocalTree>();
  readonly #treeOf = new Map<string, LocalTree | undefined>();
  readonly #onDropped: (traceId: string) => void;
  readonly #maxSpansPerTree: number;

  /** @param onDropped told of each span that is dropped */
  constructor(onDropped: (traceId: string) => void, maxSpansPerTree = defaultMaxSpansPerTree) {
    this.#onDropped = onDropped;
    this.#maxSpansPerTree = maxSpansPerTree;
  }

  /** Whether spans of a trace are open. */
  hasOpen(traceId: string): boolean {
    for (const tree of this.#trees.values()) if (tree.traceId === traceId) return true;
    return false;
  }

  onStart(span: Span): void {
    const { spanId, traceId } = span.spanContext();
    const parent = span.parentSpanContext;
    const tree = parent && !parent.isRemote ? this.#treeOf.get(parent.spanId) : undefined;
    if (!tree) {
      const own: LocalTree = { ended: [], traceId, started: 1, dropped: new Set(), topHasEnded: false };
      this.#trees.set(spanId, own);
      this.#treeOf.set(spanId, own);
      return;
    }
    this.#treeOf.set(spanId, tree);
    if (tree.started >= this.#maxSpansPerTree || (parent && tree.dropped.has(parent.spanId))) tree.dropped.add(spanId);
    else tree.started++;
  }

  onEnd(span: ReadableSpan): void {
    const { spanId, traceId } = span.spanContext();
    const tree = this.#treeOf.get(spanId);
    this.#treeOf.delete(spanId);
    if (!tree) return;
    if (tree.dropped.has(spanId)) {
      this.#onDropped(traceId);
      return;
    }
    tree.ended.push(span);
    tree.topHasEnded ||= this.#trees.delete(spanId);
    if (tree.topHasEnded) this.#handOn(tree);
  }

  /** Hands on what has ended of a trace although its topmost span here has not. */
  release(traceId: string): void {
    for (const tree of this.#trees.values()) if (tree.traceId === traceId) this.#handOn(tree);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  #handOn(tree: LocalTree): void {
    const spans = tree.ended.splice(0);
    if (spans.length === 0) return;
    for (const sink of this.sinks) sink.take(spans);
  }
}
