import { createLogger } from "@ragline/service-kit";
import type { RunEvent } from "../core/run-events.js";
import { logRunEvents } from "../core/run-log.js";
import { describeFailure } from "./describe-failure.js";
import { RunDisplay } from "./run-display.js";

/** How a run is followed from the command line. */
export interface RunView {
  show(event: RunEvent): void;
  /** A line that a stage has logged. */
  line(line: string): void;
  /** Something of the telemetry that did not work. */
  warn(message: string): void;
  /** What ended the run. Told once. */
  fail(error: unknown): void;
  /** The run was stopped. */
  stop(): void;
}

/** What {@link runView} goes by. */
export interface RunViewOptions {
  readonly format: "pretty" | "json";
  readonly logLevel: string;
  /** Where a person follows the run. */
  readonly stream: NodeJS.WriteStream;
}

const stopped = "stopped; nothing was written";

/** The errors that led to an error, nearest first. */
function causesOf(error: unknown): string[] {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? [`${cause.name}: ${cause.message}`, ...causesOf(cause)] : [];
}

/** Bars and lines for a person; the causes of a failure at the levels debug and trace. */
function prettyView({ stream, logLevel }: RunViewOptions): RunView {
  const display = new RunDisplay({ stream, animated: stream.isTTY === true && process.env.CI === undefined });
  const say = (message: string): void => void process.stderr.write(`ragline: ${message}\n`);
  return {
    show: (event) => display.show(event),
    line: (line) => display.log(line),
    warn: (message) => display.log(`telemetry: ${message}`),
    fail: (error) => {
      display.end();
      say(describeFailure(error).message);
      if (logLevel === "debug" || logLevel === "trace") for (const cause of causesOf(error)) say(`caused by ${cause}`);
    },
    stop: () => {
      display.end();
      say(stopped);
    },
  };
}

/** JSON lines on stderr: those of this process from "info" on, those of the stages as they come. */
function jsonView({ logLevel }: RunViewOptions): RunView {
  const log = createLogger("cli", { level: logLevel === "warn" ? "info" : logLevel });
  const tell = logRunEvents(log);
  let ids: { trace_id?: string; run_id?: string } = {};
  return {
    show: (event) => {
      if (event.case === "started") ids = { trace_id: event.value.traceId, run_id: event.value.runId };
      tell(event);
    },
    line: (line) => void process.stderr.write(`${line}\n`),
    warn: (message) => log.warn({ source: "opentelemetry" }, message),
    fail: (error) => {
      const { message, reason } = describeFailure(error);
      log.error({ ...ids, reason, err: error }, message);
    },
    stop: () => log.warn(ids, stopped),
  };
}

/** What follows a run in the format asked for. */
export function runView(options: RunViewOptions): RunView {
  return options.format === "json" ? jsonView(options) : prettyView(options);
}
