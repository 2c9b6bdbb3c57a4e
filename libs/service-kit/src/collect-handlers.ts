import { Readable } from "node:stream";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CollectOpen, CollectResponseSchema, TelemetryService } from "@ragline/contracts";
import { type Handlers, RaglineError } from "@ragline/rpc";
import {
  type MetricSnapshot,
  type Metrics,
  subtractSnapshot,
  type TraceCollector,
  type Tracing,
  withoutNamespace,
} from "@ragline/telemetry";

/** What a service collects of itself. */
export interface CollectSources {
  readonly metrics: Metrics;
  readonly namespace: string;
  readonly tracing: Tracing;
}

type Answer = MessageInitShape<typeof CollectResponseSchema>;

// How long the end waits for calls that were cancelled a moment ago, so that their spans are in the trace.
const openSpansMs = 2500;
const pollMs = 20;

/** One collection: what a run that asked for it is told. */
class Collection {
  readonly answers = new Readable({ objectMode: true, read: () => undefined });
  readonly #sources: CollectSources;
  readonly #open: CollectOpen;
  #collector: TraceCollector | undefined;
  #before: MetricSnapshot = [];
  #telling: Promise<void> = Promise.resolve();

  constructor(sources: CollectSources, open: CollectOpen) {
    this.#sources = sources;
    this.#open = open;
  }

  async begin(): Promise<void> {
    const { metrics, tracing } = this.#sources;
    const { traceId, spans } = this.#open;
    if (this.#open.metrics) {
      await metrics.open();
      this.#before = await metrics.snapshot();
    }
    if (spans) this.#collector = await tracing.collect(traceId, () => void this.#tellSpans());
    this.#tell({});
  }

  async flush(): Promise<void> {
    await this.#tellSpans();
    await this.#tellMetrics();
    this.#tell({ flushed: true });
  }

  async end(): Promise<void> {
    const { tracing } = this.#sources;
    const { traceId } = this.#open;
    const late = performance.now() + openSpansMs;
    while (this.#collector && tracing.hasOpenSpans(traceId) && performance.now() < late)
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    await this.flush();
    this.abandon();
    this.answers.push(null);
  }

  abandon(): void {
    if (this.#collector) this.#sources.tracing.forget(this.#collector);
  }

  /** One after the other: whoever asks has been told everything up to now. */
  #tellSpans(): Promise<void> {
    this.#telling = this.#telling.then(() => this.#tellNewSpans());
    return this.#telling;
  }

  async #tellNewSpans(): Promise<void> {
    for (const spansJson of (await this.#collector?.drain()) ?? [])
      this.#tell({ spansJson, spansDropped: BigInt(this.#collector?.dropped ?? 0) });
    if (this.#collector?.dropped) this.#tell({ spansDropped: BigInt(this.#collector.dropped) });
  }

  async #tellMetrics(): Promise<void> {
    if (!this.#open.metrics) return;
    const { metrics, namespace } = this.#sources;
    const counted = subtractSnapshot(await metrics.snapshot(), this.#before);
    this.#tell({ metricsJson: Buffer.from(JSON.stringify(withoutNamespace(counted, namespace))) });
  }

  #tell(answer: Answer): void {
    if (!this.answers.readableEnded && !this.answers.destroyed) this.answers.push(answer);
  }
}

/** What {@link collectHandlers} makes. */
export interface CollectService {
  readonly handlers: Handlers<typeof TelemetryService>;
  /** Tells everything and ends the collections: the service stops. */
  end(): Promise<void>;
}

/** The `Collect` rpc: what this process does for a trace, told to the run that it belongs to. */
export function collectHandlers(sources: CollectSources): CollectService {
  const running = new Set<Collection>();
  const handlers: Handlers<typeof TelemetryService> = {
    collect: async function* (requests, { signal }) {
      const incoming = requests[Symbol.asyncIterator]();
      const first = await incoming.next();
      if (first.done || first.value.kind.case !== "open")
        throw new RaglineError("INVALID_ARGUMENT", "OPEN_MISSING", 'the first message of a collection must be "open"');
      const collection = new Collection(sources, first.value.kind.value);
      const abandon = () => {
        collection.abandon();
        collection.answers.destroy();
      };
      signal.addEventListener("abort", abandon, { once: true });
      running.add(collection);
      const read = async () => {
        await collection.begin();
        for (let step = await incoming.next(); !step.done; step = await incoming.next())
          if (step.value.kind.case === "flush") await collection.flush();
        await collection.end();
      };
      read().catch((error: Error) => collection.answers.destroy(error));
      try {
        yield* collection.answers as AsyncIterable<Answer>;
      } finally {
        running.delete(collection);
        signal.removeEventListener("abort", abandon);
        collection.abandon();
      }
    },
  };
  return {
    handlers,
    end: async () => {
      await Promise.allSettled([...running].map((collection) => collection.end()));
    },
  };
}
