import { context, isSpanContextValid, TraceFlags, trace } from "@opentelemetry/api";
import type { Counter, Gauge, Histogram, OpenMetricsContentType, Registry } from "prom-client";
import { type MetricDefinition, type MetricKey, type MetricService, metricCatalogue } from "./metric-catalogue.js";
import { type ExpositionFormat, expositionOf, type MetricSnapshot, mergeSnapshots } from "./metric-snapshot.js";
import { RollingPeak } from "./rolling-peak.js";

/** How {@link Metrics} are kept. */
export interface MetricsOptions {
  /** Whose metrics they are; a process keeps only those that it can have. */
  readonly service: MetricService;
  /** First part of every name. @default "rag" */
  readonly namespace?: string;
}

type Labels = Readonly<Record<string, string>>;

/** A device and its cap, as a lease broker tells it. */
export interface DeviceCap {
  readonly name: string;
  readonly capBytes: number;
}

type LevelKey = "gpuPeakBytes" | "gpuLeaseBytes";

/** A gauge that goes up and down by what its holders take and give back. */
interface Level {
  readonly key: LevelKey;
  readonly labels: Labels;
  value: number;
  readonly peak: RollingPeak;
}

// Gauges of prom-client with these names are no counters, and there are better ones without the suffix beside them.
const misnamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** Ids of the span that is active, if it is one that is sent somewhere. */
function exemplar(): Labels {
  const span = trace.getSpanContext(context.active());
  if (!span || !isSpanContextValid(span) || (span.traceFlags & TraceFlags.SAMPLED) === 0) return {};
  return { trace_id: span.traceId, span_id: span.spanId };
}

/**
 * The metrics of one process. Until {@link Metrics.open} nothing is counted and prom-client is not loaded, so that a
 * process that nobody asks starts fast.
 */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #instruments = new Map<MetricKey, Counter | Gauge | Histogram>();
  readonly #levels = new Map<string, Level>();
  readonly #adopted = new Set<() => Promise<MetricSnapshot>>();
  #kept: MetricSnapshot = [];
  #registry: Registry<OpenMetricsContentType> | undefined;
  #opening: Promise<void> | undefined;
  #caps: () => readonly DeviceCap[] = () => [];

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** Whether anything is counted. */
  get isOpen(): boolean {
    return this.#registry !== undefined;
  }

  /** Counts from now on; a second call does nothing. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Adds the metrics of the process: processor, memory, event loop, garbage collection. Call it once, when open. */
  async watchProcess(): Promise<void> {
    const { collectDefaultMetrics } = (await import("prom-client")).default;
    if (!this.#registry) return;
    collectDefaultMetrics({ register: this.#registry });
    for (const name of misnamed) this.#registry.removeSingleMetric(name);
  }

  /** Tells the caps of a lease broker's devices whenever metrics are read. */
  watchCaps(devices: () => readonly DeviceCap[]): void {
    this.#caps = devices;
  }

  /** Adds to a counter. */
  count(key: MetricKey, labels: Labels = {}, amount = 1): void {
    (this.#instruments.get(key) as Counter | undefined)?.inc(labels, amount);
  }

  /** Sets a gauge. */
  set(key: MetricKey, labels: Labels, value: number): void {
    (this.#instruments.get(key) as Gauge | undefined)?.set(labels, value);
  }

  /** Puts a value into a histogram, with the ids of the active span as its exemplar. */
  observe(key: MetricKey, labels: Labels, value: number): void {
    const histogram = this.#instruments.get(key) as Histogram | undefined;
    histogram?.observe({ labels, value, exemplarLabels: exemplar() } as never);
  }

  /** Raises or lowers a gauge. Also what happens before {@link Metrics.open} counts: what is raised is lowered later. */
  add(key: LevelKey, labels: Labels, delta: number): void {
    const level = this.#levelOf(key, labels);
    level.value += delta;
    level.peak.add(level.value);
  }

  /** Notes a value of a gauge that tells the peak of the last minute. */
  notePeak(key: "gpuPeakBytes", labels: Labels, value: number): void {
    this.#levelOf(key, labels).peak.add(value);
  }

  /** All values of this process now. */
  async snapshot(): Promise<MetricSnapshot> {
    return ((await this.#registry?.getMetricsAsJSON()) ?? []) as unknown as MetricSnapshot;
  }

  /**
   * Tells the metrics of processes that this one has started together with its own.
   * @param source what they have counted so far, with full names
   * @returns to be called when they have ended: what they had counted is kept
   */
  adopt(source: () => Promise<MetricSnapshot>): () => Promise<void> {
    this.#adopted.add(source);
    return async () => {
      const last = await source();
      if (!this.#adopted.delete(source)) return;
      this.#kept = mergeSnapshots([this.#kept, last.filter(({ type }) => type !== "gauge")]);
    };
  }

  /** All values now, those of adopted processes included, as text. */
  async text(format: ExpositionFormat = "prometheus"): Promise<string> {
    const adopted = await Promise.all([...this.#adopted].map((source) => source()));
    return expositionOf(mergeSnapshots([await this.snapshot(), this.#kept, ...adopted]), format);
  }

  async #open(): Promise<void> {
    const { Counter, Gauge, Histogram, Registry } = (await import("prom-client")).default;
    const { service, namespace = "rag" } = this.#options;
    const registry = new Registry<OpenMetricsContentType>();
    // Exemplars are kept by registries of this format alone.
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as unknown as OpenMetricsContentType);
    for (const [key, definition] of Object.entries<MetricDefinition>(metricCatalogue)) {
      if (!definition.services.includes(service)) continue;
      const { type, help, labels, buckets, aggregator = "sum" } = definition;
      const name = `${namespace}_${definition.name}`;
      const common = { name, help, labelNames: [...labels], aggregator, registers: [registry] };
      const collect = this.#collectorOf(key as MetricKey);
      const instrument =
        type === "counter"
          ? new Counter(common)
          : type === "gauge"
            ? new Gauge({ ...common, ...(collect ? { collect } : {}) })
            : new Histogram({ ...common, buckets: [...(buckets ?? [])], enableExemplars: true });
      this.#instruments.set(key as MetricKey, instrument);
      const only = labels.length === 1 && labels[0] === "stage" && service !== "orchestrator";
      for (const start of definition.startsWith ?? (only ? [{}] : [])) {
        const series = labels.includes("stage") ? { stage: service, ...start } : start;
        if (type === "counter") this.count(key as MetricKey, series, 0);
        else if (type === "gauge") this.set(key as MetricKey, series, 0);
      }
    }
    this.#registry = registry;
  }

  #levelOf(key: LevelKey, labels: Labels): Level {
    const id = JSON.stringify([key, labels]);
    const level = this.#levels.get(id) ?? { key, labels, value: 0, peak: new RollingPeak() };
    this.#levels.set(id, level);
    return level;
  }

  /** What is to be done before a gauge is read. */
  #collectorOf(key: MetricKey): (() => void) | undefined {
    if (key === "gpuPeakBytes" || key === "gpuLeaseBytes") {
      return () => {
        for (const level of this.#levels.values()) {
          if (level.key === key) this.set(key, level.labels, key === "gpuPeakBytes" ? level.peak.value : level.value);
        }
      };
    }
    if (key === "gpuCapBytes") {
      return () => {
        for (const { name, capBytes } of this.#caps()) this.set(key, { device: name }, capBytes);
      };
    }
    return undefined;
  }
}
