import type { StageName } from "../core/run-context.js";
import { usageError } from "../core/usage-error.js";

const names: readonly string[] = ["dense", "sparse", "rerank", "export"] satisfies StageName[];

/**
 * Reads a list of `stage=address`, where an address is `host:port` or `unix:/path`.
 * @throws RaglineError INVALID_ARGUMENT for an entry of another form, an unknown stage, or one named twice.
 */
export function parseEndpoints(list: readonly string[]): Map<StageName, string> {
  const endpoints = new Map<StageName, string>();
  for (const entry of list) {
    const [, name = "", address = ""] = /^([a-z]+)=(unix:\/.+|.+:\d+)$/.exec(entry) ?? [];
    if (!names.includes(name)) {
      throw usageError(
        "ENDPOINT",
        `"${entry}" is no endpoint; write <stage>=<host:port>, with a stage of ${names.join(", ")}`,
      );
    }
    if (endpoints.has(name as StageName))
      throw usageError("ENDPOINT", `--endpoints names ${name} twice; give one address for each stage`);
    endpoints.set(name as StageName, address);
  }
  return endpoints;
}
