import { isSpanContextValid, trace } from "@opentelemetry/api";
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdSerializers } from "pino";

/** What writes log lines. */
export type { Logger } from "pino";

/** How lines are written: `auto` is `pretty` on a terminal and `json` elsewhere. */
export type LogFormat = "auto" | "json" | "pretty";

/** How {@link createLogger} writes. */
export interface LoggerSettings {
  /** Least severe lines to write. @default "info" */
  readonly level?: LoggerOptions["level"];
  /** Where finished lines go. @default stderr as they are, see {@link logDestination} */
  readonly destination?: DestinationStream;
}

function spanFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  if (!span || !isSpanContextValid(span)) return {};
  const flags = span.traceFlags.toString(16).padStart(2, "0");
  return { trace_id: span.traceId, span_id: span.spanId, trace_flags: flags };
}

// Written at once: the last lines before a crash are those that matter.
const plain: DestinationStream = { write: (line) => void process.stderr.write(line) };

/** Where log lines go: stderr, as JSON or made readable. What makes them readable is loaded only then. */
export async function logDestination(format: LogFormat = "auto"): Promise<DestinationStream> {
  if (format === "json" || (format === "auto" && process.stderr.isTTY !== true)) return plain;
  const { prettyFactory } = (await import("pino-pretty")).default;
  const readable = prettyFactory({
    colorize: process.stderr.isTTY === true && !process.env["NO_COLOR"],
    levelKey: "level",
    timestampKey: "time",
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,trace_flags",
    messageFormat: "{service}: {msg}",
    singleLine: true,
  });
  return { write: (line) => void process.stderr.write(readable(line) ?? line) };
}

/**
 * A logger that writes one JSON object per line, with trace_id, span_id and trace_flags inside a span (the names of
 * OpenTelemetry's log correlation) and errors (`err`) with their chain of causes. Lines hold no text of a chunk or a
 * query: log counts, names and hashes.
 */
export function createLogger(name: string, settings: LoggerSettings = {}): Logger {
  const options: LoggerOptions = {
    level: settings.level ?? "info",
    base: { service: name, pid: process.pid },
    mixin: spanFields,
    serializers: { err: stdSerializers.errWithCause },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  return pino(options, settings.destination ?? plain);
}
