const problems: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: "did not answer",
  UND_ERR_HEADERS_TIMEOUT: "stopped sending",
  UND_ERR_BODY_TIMEOUT: "stopped sending",
  ENOTFOUND: "is not known by that name",
  EAI_AGAIN: "is not known by that name",
  ECONNREFUSED: "cannot be reached",
};

/** What happened to a connection, in words that follow the name of a host. */
export function networkProblem(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return problems[String(code)] ?? "broke the connection";
}
