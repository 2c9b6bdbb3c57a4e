/** Status of the answer that the client made an error of. */
export function answerStatus(error: unknown): number | undefined {
  return error instanceof Error && "status" in error && typeof error.status === "number" ? error.status : undefined;
}

/** What Qdrant says in an answer `{"status":{"error":"..."}}`, in one line, without the full stop. */
export function answerDetail(error: unknown): string {
  const data = error instanceof Error && "data" in error ? error.data : undefined;
  const status = typeof data === "object" && data !== null && "status" in data ? data.status : undefined;
  const text = typeof status === "object" && status !== null && "error" in status ? String(status.error) : "";
  return text.replace(/\s+/g, " ").trim().slice(0, 300).replace(/\.$/, "");
}

/** Why there was no whole answer. */
export function networkProblem(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `it did not answer within ${timeoutMs / 1000} s`;
  if (error instanceof SyntaxError) return "its answer was not JSON";
  const { cause } = error;
  const causes = cause instanceof AggregateError ? cause.errors : [cause];
  const codes = causes.map((one: unknown) => (one instanceof Error && "code" in one ? String(one.code) : undefined));
  return `the connection failed (${codes.find((code) => code !== undefined) ?? (cause instanceof Error ? cause.message : error.message)})`;
}
