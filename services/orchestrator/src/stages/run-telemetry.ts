import { isSpanContextValid, trace } from "@opentelemetry/api";
import { writeFileAtomically } from "@ragline/artifacts";
import {
  expositionOf,
  type MetricSnapshot,
  type Metrics,
  mergeSnapshots,
  pushMetrics,
  subtractSnapshot,
  type TraceCollector,
  type Tracing,
  withNamespace,
} from "@ragline/telemetry";
import type { RunSettings } from "../run-settings.js";
import { StageCollection } from "./stage-collection.js";

/** What a run's telemetry is gathered with. */
export interface RunTelemetryOptions {
  readonly settings: RunSettings;
  /** Metrics of this process. */
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** Told what could not be gathered or written, in a sentence. */
  readonly onWarning: (message: string) => void;
}

// Peaks are told for a minute.
const flushEveryMs = 20_000;
const pushedJob = "ragline_run";

/** Gathers what all processes of a run tell: metrics for the manifest, a file or a gateway, and spans for a file. */
export class RunTelemetry {
  readonly #options: RunTelemetryOptions;
  readonly #collections = new Map<string, { collection: StageCollection; isChild: boolean }>();
  readonly #before: MetricSnapshot;
  readonly #disown: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #collector: TraceCollector | undefined;
  #finished: Promise<void> | undefined;

  private constructor(options: RunTelemetryOptions, before: MetricSnapshot) {
    this.#options = options;
    this.#before = before;
    this.#disown = options.metrics.adopt(async () => {
      await this.#flush();
      return this.#stageMetrics(({ isChild }) => isChild);
    });
    this.#timer = setInterval(() => void this.#flush(), flushEveryMs).unref();
  }

  /** Begins before the run does, so that nothing is missed. */
  static async begin(options: RunTelemetryOptions): Promise<RunTelemetry> {
    if (options.settings.traceFile) await options.tracing.enable();
    return new RunTelemetry(options, await options.metrics.snapshot());
  }

  /** Keeps the spans of the run's trace from now on, if they are wanted. */
  async collectTrace(traceId: string): Promise<void> {
    if (this.#options.settings.traceFile) this.#collector = await this.#options.tracing.collect(traceId);
  }

  /**
   * Has a service tell its part of the trace that is active. Costs nothing the second time.
   * @param isChild whether it is a process of this run, which nobody else asks for its metrics
   */
  async attach(name: string, address: string, isChild: boolean): Promise<void> {
    if (this.#finished || this.#collections.has(address)) return;
    const spans = this.#collector !== undefined;
    const metrics = this.#options.metrics.isOpen;
    const active = trace.getActiveSpan()?.spanContext();
    if (!(spans || metrics) || !active || !isSpanContextValid(active)) return;
    const collection = new StageCollection({ address, name, traceId: active.traceId, spans, metrics });
    this.#collections.set(address, { collection, isChild });
    await collection.begun();
  }

  /** What all processes of the run have counted since it began. */
  async snapshot(): Promise<MetricSnapshot> {
    await this.#flush();
    return this.#merged();
  }

  /** Ends the gathering and writes what the settings ask for. What fails is told, and costs nothing else. */
  finish(): Promise<void> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    clearInterval(this.#timer);
    const { settings, onWarning } = this.#options;
    const collections = [...this.#collections.entries()];
    const ends = await Promise.all(collections.map(([, { collection }]) => collection.end()));
    if (settings.traceFile) {
      // Of a process that is gone its own spans are gone, too; who called it has told so.
      const silent = collections.filter(([, { collection }], i) => !ends[i] && collection.spans.length === 0).length;
      if (silent > 0) onWarning(`${silent} service(s) told no spans; the trace file lacks their part`);
      await this.#tell(() => this.#writeTrace(settings.traceFile as string));
    }
    await this.#disown();
    if (!this.#options.metrics.isOpen) return;
    const merged = await this.#merged();
    const { metricsFile, metricsPush } = settings;
    if (metricsFile) await this.#tell(async () => writeFileAtomically(metricsFile, await expositionOf(merged)));
    if (metricsPush) await this.#tell(() => pushMetrics(merged, metricsPush, pushedJob));
  }

  async #tell(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.onWarning(error instanceof Error ? error.message : String(error));
    }
  }

  async #flush(): Promise<void> {
    if (this.#finished) return;
    await Promise.all([...this.#collections.values()].map(({ collection }) => collection.flush()));
  }

  async #merged(): Promise<MetricSnapshot> {
    const own = subtractSnapshot(await this.#options.metrics.snapshot(), this.#before);
    return mergeSnapshots([own, this.#stageMetrics(() => true)]);
  }

  #stageMetrics(which: (of: { isChild: boolean }) => boolean): MetricSnapshot {
    const told = [...this.#collections.values()].filter(which).map(({ collection }) => collection.metrics);
    return withNamespace(mergeSnapshots(told), this.#options.settings.metricsNamespace);
  }

  async #writeTrace(path: string): Promise<void> {
    const { tracing, onWarning } = this.#options;
    const collector = this.#collector;
    if (!collector) throw new Error(`no trace was begun, so ${path} was not written`);
    tracing.release(collector.traceId);
    const messages = [
      ...(await collector.drain()),
      ...[...this.#collections.values()].flatMap(({ collection }) => collection.spans),
    ];
    tracing.forget(collector);
    const resourceSpans = messages.flatMap(
      (message) => (JSON.parse(Buffer.from(message).toString()) as { resourceSpans: unknown[] }).resourceSpans,
    );
    await writeFileAtomically(path, `${JSON.stringify({ resourceSpans })}\n`);
    const dropped = [...this.#collections.values()].reduce(
      (sum, { collection }) => sum + collection.dropped,
      collector.dropped,
    );
    if (dropped > 0) onWarning(`${dropped} spans were more than could be kept; ${path} lacks them`);
  }
}
