import { Readable } from "node:stream";
import { type CollectRequest, TelemetryService } from "@ragline/contracts";
import { createClient } from "@ragline/rpc";
import { keepPeaks, type MetricSnapshot } from "@ragline/telemetry";

/** What is collected of one service for one run. */
export interface StageCollectionOptions {
  /** "host:port" or "unix:/path". */
  readonly address: string;
  /** What a person calls the service, such as "dense service". */
  readonly name: string;
  readonly traceId: string;
  readonly spans: boolean;
  readonly metrics: boolean;
}

// A service that does not answer must not hold up the run for what is only told of it.
const startMs = 2000;
const flushMs = 2000;
const endMs = 4000;

type Request = { kind: CollectRequest["kind"] };

async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer));
}

/** The spans and metrics that a service tells of its part in a run, for as long as the run lasts. */
export class StageCollection {
  readonly #requests = new Readable({ objectMode: true, read: () => undefined });
  readonly #client;
  readonly #spans: Uint8Array[] = [];
  readonly #started: Promise<unknown>;
  readonly #ended: Promise<void>;
  readonly #waiting: (() => void)[] = [];
  #metrics: MetricSnapshot = [];
  #dropped = 0;
  #error: unknown;

  constructor(options: StageCollectionOptions) {
    this.#client = createClient(TelemetryService, options.address, { name: options.name });
    const { traceId, spans, metrics } = options;
    this.#request({ kind: { case: "open", value: { traceId, spans, metrics } as never } });
    let begin: () => void = () => undefined;
    this.#started = new Promise<void>((resolve) => {
      begin = resolve;
    });
    this.#ended = this.#read(begin).catch((error: unknown) => {
      this.#error = error;
    });
  }

  /** Metrics as they were told last, with names that have no namespace. */
  get metrics(): MetricSnapshot {
    return this.#metrics;
  }

  /** Spans so far, as OTLP requests in JSON. */
  get spans(): readonly Uint8Array[] {
    return this.#spans;
  }

  /** Spans that the service could not keep. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why the service told no more, if it did not end well. */
  get error(): unknown {
    return this.#error;
  }

  /** Waits until nothing is missed any more. @returns whether the service collects */
  async begun(): Promise<boolean> {
    const ended = this.#ended.then(() => Promise.reject(this.#error as Error));
    ended.catch(() => undefined);
    return within(startMs, Promise.race([this.#started, ended])).catch(() => false);
  }

  /** Has everything told that is known now. */
  async flush(): Promise<void> {
    if (this.#error !== undefined || this.#requests.readableEnded) return;
    const flushed = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#request({ kind: { case: "flush", value: {} as never } });
    await within(flushMs, Promise.race([flushed, this.#ended]));
  }

  /** Ends the collection once everything was told. @returns whether it was */
  async end(): Promise<boolean> {
    this.#requests.push(null);
    const isWhole = await within(endMs, this.#ended);
    this.#client.close();
    return isWhole && this.#error === undefined;
  }

  #request(request: Request): void {
    this.#requests.push(request);
  }

  async #read(begin: () => void): Promise<void> {
    for await (const answer of this.#client.collect(this.#requests as AsyncIterable<Request>)) {
      begin();
      const { spansJson, metricsJson, spansDropped, flushed } = answer;
      if (spansJson.length > 0) this.#spans.push(spansJson);
      if (metricsJson.length > 0) {
        const told = JSON.parse(Buffer.from(metricsJson).toString()) as MetricSnapshot;
        this.#metrics = keepPeaks(told, this.#metrics);
      }
      this.#dropped = Math.max(this.#dropped, Number(spansDropped));
      if (flushed) this.#waiting.shift()?.();
    }
  }
}
