/** What a line of a service's log says to a person. */
export interface LogLine {
  /** Absent when the line is no JSON line of ours. */
  readonly service?: string;
  readonly level?: string;
  /** The message and that of the error, or the line itself. */
  readonly text: string;
}

/** Reads a line as `createLogger` writes it; any other line is its own text. */
export function parseLogLine(line: string): LogLine {
  try {
    const { service, level, msg, err } = JSON.parse(line) as {
      service?: string;
      level?: string;
      msg?: string;
      err?: { message?: string };
    };
    const text = [...new Set([msg, err?.message])].filter(Boolean).join(": ") || line;
    return { ...(service ? { service } : {}), ...(level ? { level } : {}), text };
  } catch {
    return { text: line };
  }
}
