import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-node";
import type { SpanSink } from "./span-keeper.js";

/** How {@link SpanSender} sends. */
export interface SpanSenderOptions {
  readonly exporter: SpanExporter;
  /** Told once when the collector cannot be reached, and once more each time that it was back in between. */
  readonly onFailed: (why: string) => void;
  /** Told of spans that were not sent. */
  readonly onDropped: (count: number) => void;
  /** Most spans that wait. @default 10000 */
  readonly maxWaiting?: number;
  /** How long nothing is sent after a failure. @default 30000 */
  readonly pauseMs?: number;
}

const batchSpans = 512;
const sendEveryMs = 1000;
const closeMs = 2000;

/**
 * Sends spans to a collector in the background, one batch at a time. A collector that fails is left alone for a while;
 * what comes meanwhile is dropped and counted, so that it costs neither time nor memory.
 */
export class SpanSender implements SpanSink {
  readonly #options: SpanSenderOptions;
  #waiting: ReadableSpan[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #failing = false;
  #pausedUntil = 0;

  constructor(options: SpanSenderOptions) {
    this.#options = options;
    // Nothing, to learn early whether somebody is there: the end of a process need not wait to find out.
    this.#sending = this.#export([])
      .then((why) => this.#note(why, 0))
      .finally(() => {
        this.#sending = undefined;
      });
  }

  take(spans: readonly ReadableSpan[]): void {
    const { maxWaiting = 10_000, onDropped } = this.#options;
    if (performance.now() < this.#pausedUntil || this.#waiting.length + spans.length > maxWaiting) {
      onDropped(spans.length);
      return;
    }
    this.#waiting.push(...spans);
    if (this.#waiting.length >= batchSpans) void this.#send();
    else this.#timer ??= setTimeout(() => void this.#send(), sendEveryMs).unref();
  }

  /** Sends what waits, within two seconds, and stops. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const { exporter, onDropped } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMs);
    });
    if (!this.#failing) await Promise.race([this.#flush(), late]);
    clearTimeout(timer);
    if (this.#waiting.length > 0) onDropped(this.#waiting.length);
    this.#waiting = [];
    // Not awaited: it may try again what is given up here.
    exporter.shutdown().catch(() => undefined);
  }

  async #flush(): Promise<void> {
    await this.#sending;
    await this.#send();
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchSpans);
      this.#note(await this.#export(batch), batch.length);
    }
  }

  /** Notes how an attempt ended: after a failure all that waits is dropped. */
  #note(why: string | undefined, sent: number): void {
    const { onFailed, onDropped, pauseMs = 30_000 } = this.#options;
    const wasFailing = this.#failing;
    this.#failing = why !== undefined;
    if (why === undefined) return;
    const lost = sent + this.#waiting.length;
    if (lost > 0) onDropped(lost);
    this.#waiting = [];
    this.#pausedUntil = performance.now() + pauseMs;
    if (!wasFailing) onFailed(why);
  }

  #export(batch: ReadableSpan[]): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#options.exporter.export(batch, ({ code, error }) =>
        resolve(code === 0 ? undefined : (error?.message ?? "no reason given")),
      );
    });
  }
}
