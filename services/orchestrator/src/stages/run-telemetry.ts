import { isSpanContextValid, trace } from "@opentelemetry/api";
import { placeText } from "@ragline/files";
import {
  expositionOf,
  type MetricSnapshot,
  type Metrics,
  mergeSnapshots,
  metricsSettings,
  pushMetrics,
  subtractSnapshot,
  type TraceCollector,
  type Tracing,
  withNamespace,
} from "@ragline/telemetry";
import type { RunSettings } from "../run-settings.js";
import { StageCollection } from "./stage-collection.js";

/** The settings that {@link RunTelemetry} reads; what is absent is not written. */
export type GatheringSettings = Pick<RunSettings, "traceFile"> &
  Partial<Pick<RunSettings, "metricsFile" | "metricsPush" | "metricsNamespace">>;

/** What a run's telemetry is gathered with. */
export interface RunTelemetryOptions {
  readonly settings: GatheringSettings;
  /** Metrics of this process. */
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** Told what could not be gathered or written, in a sentence. */
  readonly onWarning: (message: string) => void;
}

// Peaks are told for a minute.
const flushEveryMs = 20_000;
const pushedJob = "ragline_run";

/** What one service tells. */
interface Told {
  readonly collection: StageCollection;
  readonly isChild: boolean;
}

/**
 * Gathers what all processes of a run, or of another command, tell: metrics for the manifest, a file or a gateway, and
 * spans for a file.
 */
export class RunTelemetry {
  readonly #options: RunTelemetryOptions;
  /** Of services that go on telling, by address. */
  readonly #open = new Map<string, Told>();
  /** Of services that have told all. */
  readonly #closed: Told[] = [];
  readonly #before: MetricSnapshot;
  readonly #disown: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #collector: TraceCollector | undefined;
  #silent = 0;
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

  /** Keeps the spans of the run's trace from now on, if they are wanted. A run inside another command has its trace. */
  async collectTrace(traceId: string): Promise<void> {
    if (this.#options.settings.traceFile) this.#collector ??= await this.#options.tracing.collect(traceId);
  }

  /**
   * Has a service tell its part of the trace that is active. Costs nothing the second time.
   * @param isChild whether it is a process of this run, which nobody else asks for its metrics
   */
  async attach(name: string, address: string, isChild: boolean): Promise<void> {
    if (this.#finished || this.#open.has(address)) return;
    const spans = this.#collector !== undefined;
    const metrics = this.#options.metrics.isOpen;
    const active = trace.getActiveSpan()?.spanContext();
    if (!(spans || metrics) || !active || !isSpanContextValid(active)) return;
    const collection = new StageCollection({ address, name, traceId: active.traceId, spans, metrics });
    this.#open.set(address, { collection, isChild });
    await collection.begun();
  }

  /** What all processes of the run have counted since it began. */
  async snapshot(): Promise<MetricSnapshot> {
    await this.#flush();
    return this.#merged();
  }

  /** Has the services that are about to end tell all that they have; those that are attached from now on are others. */
  async settle(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#closed.push(...open);
    const ends = await Promise.all(open.map(({ collection }) => collection.end()));
    // Of a process that is gone its own spans are gone, too; who called it has told so.
    this.#silent += open.filter(({ collection }, i) => !ends[i] && collection.spans.length === 0).length;
  }

  /** Ends the gathering and writes what the settings ask for. What fails is told, and costs nothing else. */
  finish(): Promise<void> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    clearInterval(this.#timer);
    const { settings, onWarning } = this.#options;
    await this.settle();
    if (settings.traceFile) {
      if (this.#silent > 0) onWarning(`${this.#silent} service(s) told no spans; the trace file lacks their part`);
      await this.#tell(() => this.#writeTrace(settings.traceFile as string));
    }
    await this.#disown();
    if (!this.#options.metrics.isOpen) return;
    const merged = await this.#merged();
    const { metricsFile, metricsPush } = settings;
    if (metricsFile) await this.#tell(async () => placeText(metricsFile, await expositionOf(merged)));
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
    await Promise.all([...this.#open.values()].map(({ collection }) => collection.flush()));
  }

  async #merged(): Promise<MetricSnapshot> {
    const own = subtractSnapshot(await this.#options.metrics.snapshot(), this.#before);
    return mergeSnapshots([own, this.#stageMetrics(() => true)]);
  }

  get #all(): readonly Told[] {
    return [...this.#closed, ...this.#open.values()];
  }

  #stageMetrics(which: (of: Told) => boolean): MetricSnapshot {
    const told = this.#all.filter(which).map(({ collection }) => collection.metrics);
    const { metricsNamespace = metricsSettings.metricsNamespace.default } = this.#options.settings;
    return withNamespace(mergeSnapshots(told), metricsNamespace);
  }

  async #writeTrace(path: string): Promise<void> {
    const { tracing, onWarning } = this.#options;
    const collector = this.#collector;
    if (!collector) throw new Error(`no trace was begun, so ${path} was not written`);
    tracing.release(collector.traceId);
    const messages = [...(await collector.drain()), ...this.#all.flatMap(({ collection }) => collection.spans)];
    tracing.forget(collector);
    const resourceSpans = messages.flatMap(
      (message) => (JSON.parse(Buffer.from(message).toString()) as { resourceSpans: unknown[] }).resourceSpans,
    );
    await placeText(path, `${JSON.stringify({ resourceSpans })}\n`);
    const dropped = this.#all.reduce((sum, { collection: { dropped } }) => sum + dropped, collector.dropped);
    if (dropped > 0) onWarning(`${dropped} spans were more than could be kept; ${path} lacks them`);
  }
}
