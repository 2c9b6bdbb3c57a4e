import type { StageName } from "../core/run-context.js";
import { usageError } from "../core/usage-error.js";

const names: readonly string[] = ["dense", "sparse", "rerank", "export"] satisfies StageName[];

/**
 * Reads a list of `stage=address`, where an address is `host:port` or `unix:/path`. An entry that is an address alone is
 * a further replica of the stage before it. A stage's work is spread over its replicas, but for export, which has one.
 * @throws RaglineError INVALID_ARGUMENT for an entry of another form, an unknown stage, an address that a stage is given
 * twice, or a second one for export.
 */
export function parseEndpoints(list: readonly string[]): Map<StageName, readonly string[]> {
  const endpoints = new Map<StageName, string[]>();
  let name = "";
  for (const entry of list) {
    const [, stage = name, address = ""] = /^(?:([a-z]+)=)?(unix:\/.+|[^=]+:\d+)$/.exec(entry) ?? [];
    if (!names.includes(stage) || address === "") {
      throw usageError(
        "ENDPOINT",
        `"${entry}" is no endpoint; write <stage>=<host:port>,<host:port>…, with a stage of ${names.join(", ")}`,
      );
    }
    name = stage;
    const known = endpoints.get(name as StageName) ?? [];
    if (known.includes(address))
      throw usageError("ENDPOINT", `--endpoints gives ${name} the address ${address} twice; name each replica once`);
    if (name === "export" && known.length > 0)
      throw usageError("ENDPOINT", "--endpoints names export twice; one service writes the files, give one address");
    endpoints.set(name as StageName, [...known, address]);
  }
  return endpoints;
}
