import { Readable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { resolveSettings } from "@ragline/config";
import { type OrchestratorService, type RunResponse, RunResponseSchema, type Setting } from "@ragline/contracts";
import type { Handlers } from "@ragline/rpc";
import type { Logger } from "@ragline/service-kit";
import type { Metrics, Tracing } from "@ragline/telemetry";
import { logRunEvents } from "./core/run-log.js";
import { usageError } from "./core/usage-error.js";
import { runSettings } from "./run-settings.js";
import { runWithStages } from "./stages/run-with-stages.js";

/** What the orchestrator service is given. */
export interface OrchestratorOptions {
  /** Stage services for runs that name none. */
  readonly endpoints: readonly string[];
  /** Where its runs count. */
  readonly metrics: Metrics;
  /** Lease broker for runs that name none. */
  readonly leaseBroker: string | null;
  readonly tracing: Tracing;
  readonly log: Logger;
  /** Told of each line that a stage logs. */
  readonly onLine: (line: string) => void;
}

/** The caller's settings over the defaults, each with the place where the caller found it. */
function resolveRequest(
  settings: readonly Setting[],
  defaults: Pick<OrchestratorOptions, "endpoints" | "leaseBroker">,
): ReturnType<typeof resolveSettings<typeof runSettings>> {
  const camel = (key: string): string => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const unknown = settings.find(({ key }) => !(camel(key) in runSettings));
  if (unknown)
    throw usageError(
      "UNKNOWN_SETTING",
      `"${unknown.key}" is no setting of a run in this version; update the caller or the orchestrator`,
    );
  const flags = Object.fromEntries(
    settings.map(({ key, valueJson, source }) => [camel(key), { value: JSON.parse(valueJson) as unknown, source }]),
  );
  const resolved = resolveSettings(runSettings, { flags });
  const provenance = resolved.provenance.map((entry) => ({
    ...entry,
    layer: (settings.find(({ key }) => key === entry.key)?.layer as typeof entry.layer) ?? entry.layer,
  }));
  const { values: given } = resolved;
  const values = {
    ...given,
    endpoints: given.endpoints ?? (defaults.endpoints.length > 0 ? defaults.endpoints : null),
    leaseBroker: given.leaseBroker ?? defaults.leaseBroker,
  };
  return { values, provenance };
}

/** The rpc handlers of the orchestrator. */
export function orchestratorHandlers({
  metrics,
  tracing,
  log,
  onLine,
  ...defaults
}: OrchestratorOptions): Handlers<typeof OrchestratorService> {
  return {
    run: async function* (request, { signal }) {
      const { values: settings, provenance } = resolveRequest(request.settings, defaults);
      const events = new Readable({ objectMode: true, read: () => undefined });
      const logEvent = logRunEvents(log);
      const stop = new AbortController();
      const end = (): void => stop.abort(signal.reason);
      signal.addEventListener("abort", end, { once: true });
      const run = runWithStages({
        settings,
        provenance,
        logLevel: "warn",
        metrics,
        tracing,
        signal: stop.signal,
        storeEvents: {
          onWait: (model) => onLine(`another process is pulling ${model}; waiting for it`),
          onRetry: (model, problem) => onLine(`pulling ${model}: ${problem}; trying again`),
        },
        onLine,
        onWarning: (message) => log.warn({ source: "opentelemetry" }, message),
        onEvent: (kind) => {
          logEvent(kind);
          events.push(create(RunResponseSchema, { kind }));
        },
      });
      run.then(
        () => events.push(null),
        (error: Error) => events.destroy(error),
      );
      try {
        for await (const event of events as AsyncIterable<RunResponse>) yield event;
      } finally {
        end();
        signal.removeEventListener("abort", end);
        await run.catch(() => undefined);
      }
    },
  };
}
