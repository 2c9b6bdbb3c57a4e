import { type Attributes, context, createContextKey, type Span, trace } from "@opentelemetry/api";
import type { DoneWork } from "@ragline/inference";
import { callerSpan, recordFailure } from "@ragline/rpc";
import { workerTracer } from "@ragline/telemetry";

/** What a batch came to. */
export interface BatchCounts {
  readonly items: number;
  readonly truncated: number;
  readonly failed?: number;
}

/** What one worker process did for a span. */
interface WorkerTally {
  startMs: number;
  endMs: number;
  busySeconds: number;
  calls: number;
  paddedTokens: number;
}

/** One span and the batches that it stands for. */
interface Group {
  readonly span: Span;
  /** How many it takes. */
  capacity: number;
  readonly workers: Map<number, WorkerTally>;
  started: number;
  running: number;
  items: number;
  truncated: number;
  failed: number;
  slowestSeconds: number;
}

const tracer = trace.getTracer("ragline");
const groupKey = createContextKey("ragline.batches");

// The first batches have a span each. Then each span stands for twice as many as before, every 64 spans: a million
// batches are about a thousand spans.
const singleSpans = 128;
const spansPerSize = 64;
// In a span of several batches one that takes so many times the mean so far is told by itself.
const slowFactor = 4;

const capacityOf = (nth: number): number =>
  nth < singleSpans ? 1 : 2 ** (1 + Math.floor((nth - singleSpans) / spansPerSize));

/** A worker has done work for the batch that is active. */
export function noteWork({ pid, startedAtMs, seconds, calls, paddedTokens }: DoneWork): void {
  const group = context.active().getValue(groupKey) as Group | undefined;
  if (!group?.span.isRecording() || pid === undefined) return;
  const endMs = startedAtMs + seconds * 1000;
  const tally = group.workers.get(pid) ?? { startMs: startedAtMs, endMs, busySeconds: 0, calls: 0, paddedTokens: 0 };
  group.workers.set(pid, tally);
  tally.startMs = Math.min(tally.startMs, startedAtMs);
  tally.endMs = Math.max(tally.endMs, endMs);
  tally.busySeconds += seconds;
  tally.calls += calls;
  tally.paddedTokens += paddedTokens;
}

/**
 * The spans `rag.<stage>.batch` of one stream: linked to the call that brought the texts, with a span below each for
 * what every worker process did. Long streams have spans that stand for several batches, and tell how many.
 */
export class BatchSpans {
  readonly #stage: string;
  readonly #attributes: Attributes;
  #open: Group | undefined;
  #groups = 0;
  #batches = 0;
  #seconds = 0;

  constructor(stage: string, model: string) {
    this.#stage = stage;
    this.#attributes = {
      "rag.stage": stage,
      "gen_ai.provider.name": "ragline",
      "gen_ai.request.model": model,
      ...(stage === "rerank" ? {} : { "gen_ai.operation.name": "embeddings" }),
    };
  }

  /** Computes one batch inside its span. `countsOf` tells what the result came to. */
  async run<Result>(work: () => Promise<Result>, countsOf: (result: Result) => BatchCounts): Promise<Result> {
    const group = this.#join();
    const startedAt = performance.now();
    try {
      const active = trace.setSpan(context.active(), group.span).setValue(groupKey, group);
      const result = await context.with(active, work);
      this.#note(group, (performance.now() - startedAt) / 1000, countsOf(result));
      return result;
    } catch (error) {
      recordFailure(group.span, error);
      throw error;
    } finally {
      group.running--;
      if (group.started >= group.capacity) this.#endIfIdle(group);
    }
  }

  /** Ends a span that stands for fewer batches than it could. */
  close(): void {
    const group = this.#open;
    this.#open = undefined;
    if (!group) return;
    group.capacity = group.started;
    this.#endIfIdle(group);
  }

  #join(): Group {
    const group = this.#open ?? this.#start();
    group.started++;
    group.running++;
    this.#open = group.started < group.capacity ? group : undefined;
    return group;
  }

  #start(): Group {
    const caller = callerSpan();
    const span = tracer.startSpan(`rag.${this.#stage}.batch`, {
      attributes: this.#attributes,
      links: caller ? [{ context: caller }] : [],
    });
    const capacity = capacityOf(this.#groups++);
    const none = { started: 0, running: 0, items: 0, truncated: 0, failed: 0, slowestSeconds: 0 };
    return { span, capacity, workers: new Map(), ...none };
  }

  #note(group: Group, seconds: number, { items, truncated, failed = 0 }: BatchCounts): void {
    group.items += items;
    group.truncated += truncated;
    group.failed += failed;
    group.slowestSeconds = Math.max(group.slowestSeconds, seconds);
    const mean = this.#seconds / Math.max(1, this.#batches);
    if (group.capacity > 1 && seconds > slowFactor * mean) {
      group.span.addEvent("rag.batch.slow", { "rag.batch.seconds": seconds, "rag.batch.items": items });
    }
    this.#batches++;
    this.#seconds += seconds;
  }

  #endIfIdle(group: Group): void {
    if (group.running > 0) return;
    const { span, started, items, truncated, failed, slowestSeconds, workers } = group;
    if (span.isRecording()) {
      span.setAttributes({
        "rag.batch.count": started,
        "rag.batch.items": items,
        "rag.batch.truncated": truncated,
        ...(failed > 0 ? { "rag.batch.failed": failed } : {}),
        ...(started > 1 ? { "rag.batch.slowest_seconds": slowestSeconds } : {}),
      });
      const parent = trace.setSpan(context.active(), span);
      for (const [pid, tally] of workers) {
        const attributes = {
          "rag.stage": this.#stage,
          "rag.worker.calls": tally.calls,
          "rag.worker.padded_tokens": tally.paddedTokens,
          "rag.worker.busy_seconds": tally.busySeconds,
        };
        const options = { startTime: tally.startMs, attributes };
        workerTracer(pid).startSpan(`rag.${this.#stage}.worker`, options, parent).end(tally.endMs);
      }
    }
    span.end();
  }
}
