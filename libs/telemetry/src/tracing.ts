import {
  type Context,
  context,
  createContextKey,
  DiagLogLevel,
  diag,
  propagation,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { NodeTracerProvider, Sampler } from "@opentelemetry/sdk-trace-node";
import { type OtlpEndpoint, otlpExporter } from "./otlp-endpoint.js";
import { samplerFromEnv } from "./sampler-from-env.js";
import { SpanKeeper } from "./span-keeper.js";
import { SpanSender } from "./span-sender.js";
import { TraceCollector } from "./trace-collector.js";

/** How {@link startTracing} traces. */
export interface TracingOptions {
  /** `service.name` of every span, such as "ragline-dense". */
  readonly serviceName: string;
  /** Version of the service. @default none */
  readonly serviceVersion?: string;
  /** The collector that spans are sent to. @default none */
  readonly endpoint?: OtlpEndpoint | undefined;
  /** Told what goes wrong, in a sentence. @default nobody */
  readonly onWarning?: (message: string) => void;
  /** Told of spans that were made and not kept ("limit") or not sent ("export"). @default nobody */
  readonly onDropped?: (reason: "limit" | "export", count: number) => void;
}

/** Tracing of this process. */
export interface Tracing {
  /** Records the spans of a trace from now on and keeps them. */
  collect(traceId: string, onSpans?: () => void): Promise<TraceCollector>;
  /** Whether spans of the trace are open in this process. */
  hasOpenSpans(traceId: string): boolean;
  /** Hands on what has ended of a trace, although its topmost span in this process has not. */
  release(traceId: string): void;
  /** Ends a collection. */
  forget(collector: TraceCollector): void;
  /** Loads what records spans, so that those in {@link recordAlways} are. */
  enable(): Promise<void>;
  /** Sends what is left, within two seconds, and stops sending. */
  close(): Promise<void>;
}

const recordKey = createContextKey("ragline.record");

/** A context in which spans without a parent are recorded, whatever the sampler says. */
export function recordAlways(of: Context = context.active()): Context {
  return of.setValue(recordKey, true);
}

/** What records spans in this process, once it is loaded: there can be one only. */
interface Recorder {
  readonly keeper: SpanKeeper;
  readonly collectors: Set<TraceCollector>;
  senders: number;
  readonly provider: NodeTracerProvider;
  workerTracer(pid: number): Tracer;
}

let recorder: Recorder | undefined;
let loading: Promise<Recorder> | undefined;
const dropListeners = new Set<(reason: "limit" | "export", count: number) => void>();

const noTracer = trace.getTracer("ragline/worker");

/** The tracer for what a worker process did: its spans are that process's, although they are recorded here. */
export function workerTracer(pid: number): Tracer {
  return recorder?.workerTracer(pid) ?? noTracer;
}

/** A worker's tracer is kept while it may be used again; workers come and go, so only so many are. */
const maxWorkerTracers = 64;

async function load({ serviceName, serviceVersion, onWarning }: TracingOptions): Promise<Recorder> {
  const [sdk, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/sdk-trace-node"),
    import("@opentelemetry/resources"),
  ]);
  const collectors = new Set<TraceCollector>();
  const keeper = new SpanKeeper((traceId) => {
    for (const collector of collectors) if (collector.traceId === traceId) collector.countDropped();
    for (const told of dropListeners) told("limit", 1);
  });
  const { NodeTracerProvider, AlwaysOnSampler, ParentBasedSampler, SamplingDecision } = sdk;
  const always = new ParentBasedSampler({ root: new AlwaysOnSampler() });
  const loaded = { senders: 0 };
  const configured = samplerFromEnv(sdk, process.env, onWarning ?? (() => undefined));
  const sampler: Sampler = {
    shouldSample: (parent, traceId, ...rest) => {
      if (parent.getValue(recordKey) === true) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      const isCollected = [...collectors].some((collector) => collector.traceId === traceId);
      if (isCollected) return always.shouldSample(parent, traceId, ...rest);
      if (loaded.senders > 0) return configured.shouldSample(parent, traceId, ...rest);
      return { decision: SamplingDecision.NOT_RECORD };
    },
    toString: () => "RaglineSampler",
  };
  const providerOf = (name: string, pid: number) =>
    new NodeTracerProvider({
      resource: resourceFromAttributes({
        "service.name": name,
        ...(serviceVersion ? { "service.version": serviceVersion } : {}),
        "service.instance.id": String(pid),
        "process.pid": pid,
        "process.runtime.name": "nodejs",
        "process.runtime.version": process.versions.node,
      }),
      spanProcessors: [keeper],
      sampler,
    });
  const provider = providerOf(serviceName, process.pid);
  trace.setGlobalTracerProvider(provider);
  const workers = new Map<number, Tracer>();
  return {
    keeper,
    collectors,
    provider,
    get senders() {
      return loaded.senders;
    },
    set senders(count) {
      loaded.senders = count;
    },
    workerTracer: (pid) => {
      const known = workers.get(pid);
      if (known) return known;
      if (workers.size >= maxWorkerTracers) workers.clear();
      const tracer = providerOf(`${serviceName}-worker`, pid).getTracer("ragline/worker");
      workers.set(pid, tracer);
      return tracer;
    },
  };
}

/**
 * Makes trace context flow through this process and its calls (W3C, AsyncLocalStorage). The SDK, which records spans,
 * is loaded only when there is a collector or when a trace is collected: it would double the time to start.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const { endpoint, onWarning, onDropped } = options;
  if (onDropped) dropListeners.add(onDropped);
  const open = async (): Promise<Recorder> => {
    loading ??= load(options);
    recorder = await loading;
    return recorder;
  };
  let sender: SpanSender | undefined;
  if (endpoint) {
    if (onWarning) {
      const warn = (message: string) => onWarning(message);
      diag.setLogger({ error: warn, warn, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
    }
    const opened = await open();
    sender = new SpanSender({
      exporter: await otlpExporter(endpoint),
      onFailed: (why) =>
        onWarning?.(`the collector at ${endpoint.url} (${endpoint.protocol}) takes no spans: ${why}; they are dropped`),
      onDropped: (count) => onDropped?.("export", count),
    });
    opened.keeper.sinks.add(sender);
    opened.senders++;
  }
  return {
    enable: async () => void (await open()),
    collect: async (traceId, onSpans) => {
      const { keeper, collectors } = await open();
      const collector = new TraceCollector(traceId, onSpans);
      collectors.add(collector);
      keeper.sinks.add(collector);
      return collector;
    },
    hasOpenSpans: (traceId) => recorder?.keeper.hasOpen(traceId) ?? false,
    release: (traceId) => recorder?.keeper.release(traceId),
    forget: (collector) => {
      recorder?.collectors.delete(collector);
      recorder?.keeper.sinks.delete(collector);
    },
    close: async () => {
      if (onDropped) dropListeners.delete(onDropped);
      if (!sender || !recorder) return;
      recorder.keeper.sinks.delete(sender);
      recorder.senders--;
      await sender.close();
    },
  };
}
