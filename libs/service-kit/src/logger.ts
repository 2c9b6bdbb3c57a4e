import { isSpanContextValid, trace } from "@opentelemetry/api";
import { type Logger, type LoggerOptions, pino, stdSerializers } from "pino";

export type { Logger } from "pino";

function spanFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/**
 * A logger that writes one JSON object per line to stderr, with trace_id and span_id inside a span and errors (`err`)
 * with their chain of causes. Lines hold no text of a chunk or a query: log counts, names and hashes.
 */
export function createLogger(name: string, level: LoggerOptions["level"] = "info"): Logger {
  const options: LoggerOptions = {
    level,
    base: { service: name, pid: process.pid },
    mixin: spanFields,
    serializers: { err: stdSerializers.errWithCause },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  // Written at once: the last lines before a crash are those that matter.
  return pino(options, { write: (line: string) => void process.stderr.write(line) });
}
