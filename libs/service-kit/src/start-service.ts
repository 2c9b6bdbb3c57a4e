import type { DescService } from "@bufbuild/protobuf";
import { type Server, setLogger } from "@grpc/grpc-js";
import {
  type FlagValues,
  parseFlags,
  resolveSettings,
  type SettingDefinitions,
  type SettingValues,
} from "@ragline/config";
import { TelemetryService } from "@ragline/contracts";
import { createServer, type Handlers, implementation, listen, serviceDefinition, traced } from "@ragline/rpc";
import {
  type MetricService,
  Metrics,
  otlpEndpoint,
  type StageMetrics,
  stageMetrics,
  startTracing,
  type Tracing,
} from "@ragline/telemetry";
import { CallGate } from "./call-gate.js";
import { collectHandlers } from "./collect-handlers.js";
import { commonSettings, withVariables } from "./common-settings.js";
import { errorReporter, logCalls } from "./log-calls.js";
import { createLogger, type Logger, logDestination } from "./logger.js";
import { serveMetrics } from "./metrics-server.js";

/** What a service's handlers are made with. */
export interface ServiceContext<D extends SettingDefinitions> {
  /** The service's own settings, resolved. */
  readonly config: SettingValues<D>;
  readonly log: Logger;
  /** What the service counts of its stage. */
  readonly metrics: StageMetrics;
  /** All metrics of this process. */
  readonly allMetrics: Metrics;
  /** Tracing of this process. */
  readonly tracing: Tracing;
  /** Writes a line that another process has logged where this one's lines go. */
  readonly relayLine: (line: string) => void;
  /** Aborts when running calls are cancelled because the grace time is over. */
  readonly signal: AbortSignal;
}

/** What a service is: its name, its contract, its settings and what it does. */
export interface ServiceOptions<S extends DescService, D extends SettingDefinitions> {
  /** Short name such as "dense": in logs, metrics, the names of variables and errors. */
  readonly name: MetricService;
  readonly service: S;
  /** Its own settings, by flag and by RAGLINE_<NAME>_<SETTING>. @default none */
  readonly settings?: D;
  /** Makes the handlers once the settings are known; what it throws stops the start. */
  handlers(context: ServiceContext<D>): Handlers<S> | Promise<Handlers<S>>;
  /** Options of the grpc-js server, over those of Ragline. @default {} */
  readonly channelOptions?: Parameters<typeof createServer>[0];
}

/** Where {@link startService} reads settings. */
export interface StartOptions {
  /** Flags as on a command line. @default [] */
  readonly args?: readonly string[];
  /** The environment. @default {} */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A service that runs. */
export interface RunningService {
  /** "host:port" with the real port, or "unix:/path". */
  readonly address: string;
  /** Address of /metrics, if it is served. */
  readonly metricsAddress: string | undefined;
  readonly log: Logger;
  /** The grace time that was configured, in milliseconds. */
  readonly graceMs: number;
  /** Sends the spans that are left and stops sending: for an end that cannot wait for running calls. */
  flushTraces(): Promise<void>;
  /** Health says NOT_SERVING, new calls are refused, running ones finish or are cancelled after the grace time; then all is closed. */
  drain(graceMs?: number): Promise<void>;
}

// How long a cancelled call may take to notice before its connection is cut.
const cancelMs = 2000;

// Time for the last replies to leave and for health watchers to hang up.
const flushMs = 1000;

async function shutDown(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, flushMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  server.forceShutdown();
}

/**
 * Starts a service in this process: settings, log, telemetry, metrics, health, reflection, server.
 * Signals and exit codes are `runService`'s business.
 *
 * @throws ConfigError for settings, RaglineError for an address that cannot be bound, and what `handlers` throws
 */
export async function startService<S extends DescService, const D extends SettingDefinitions = Record<never, never>>(
  options: ServiceOptions<S, D>,
  { args = [], env = {} }: StartOptions = {},
): Promise<RunningService> {
  const { name, service } = options;
  const own = withVariables(name, (options.settings ?? {}) as D);
  const definitions: SettingDefinitions = { ...withVariables(name, commonSettings), ...own };
  const flags = parseFlags(definitions, args);
  const common = resolveSettings<typeof commonSettings>(withVariables(name, commonSettings), { flags, env }).values;
  const config = resolveSettings<D>(own, { flags: flags as FlagValues<D>, env }).values;

  const destination = await logDestination(common.logFormat);
  const log = createLogger(name, { level: common.logLevel, destination });
  const grpcLog = (...said: unknown[]) => log.debug({ source: "grpc" }, said.join(" "));
  setLogger({ error: grpcLog, info: grpcLog, debug: grpcLog }); // it would write to stderr what callers are told anyway
  const allMetrics = new Metrics({ service: name, namespace: common.metricsNamespace });
  const servesMetrics = common.metricsEnabled && common.metricsListen !== "";
  if (servesMetrics) {
    await allMetrics.open();
    await allMetrics.watchProcess();
  }
  const tracing = await startTracing({
    serviceName: `ragline-${name}`,
    endpoint: otlpEndpoint(common.otlpEndpoint, env),
    onWarning: (message) => log.warn({ source: "opentelemetry" }, message),
    onDropped: (reason, count) => allMetrics.count("spansDropped", { reason }, count),
  });
  const gate = new CallGate();
  const context: ServiceContext<D> = {
    config,
    log,
    metrics: stageMetrics(allMetrics, name),
    allMetrics,
    tracing,
    relayLine: (line) => destination.write(`${line}\n`),
    signal: gate.cancelled,
  };
  const handlers = await options.handlers(context);

  const server = createServer(options.channelOptions);
  const report = errorReporter(log);
  const wrapped = traced(service, logCalls(service, gate.guard(service, handlers), log, report));
  const onError = (error: unknown, { method }: { method: string }) => report(error, method);
  server.addService(serviceDefinition(service), implementation(service, wrapped, { onError }));
  // Behind no gate and in no span: it is told of the calls that are, and ends after them.
  const collect = collectHandlers({ metrics: allMetrics, namespace: common.metricsNamespace, tracing });
  server.addService(serviceDefinition(TelemetryService), implementation(TelemetryService, collect.handlers));
  const names = ["", service.typeName];
  // Loaded here: whoever only starts services as children need not wait for them.
  const [{ HealthImplementation }, { addReflection }] = await Promise.all([
    import("grpc-health-check"),
    import("./reflection.js"),
  ]);
  const health = new HealthImplementation(Object.fromEntries(names.map((each) => [each, "SERVING" as const])));
  health.addToServer(server);
  addReflection(server, [service, TelemetryService]);

  const metricsServer = servesMetrics ? await serveMetrics(allMetrics, common.metricsListen) : undefined;
  const address = await listen(server, common.listen).catch((error: unknown) => {
    metricsServer?.close();
    throw error;
  });

  const drain = async (graceMs: number) => {
    for (const each of names) health.setStatus(each, "NOT_SERVING");
    log.info({ running: gate.inside, graceMs }, "draining");
    await gate.close(graceMs);
    if (gate.inside > 0) {
      log.warn({ running: gate.inside }, "grace time over, cancelling the calls that still run");
      gate.cancel();
      await gate.close(cancelMs);
    }
    await collect.end();
    await shutDown(server);
    metricsServer?.close();
    await tracing.close();
    log.info("stopped");
  };
  let draining: Promise<void> | undefined;
  return {
    address,
    metricsAddress: metricsServer?.address,
    log,
    graceMs: common.graceMs,
    flushTraces: () => tracing.close(),
    drain: (graceMs = common.graceMs) => {
      draining ??= drain(graceMs);
      return draining;
    },
  };
}
