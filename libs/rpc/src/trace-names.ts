import type { Attributes } from "@opentelemetry/api";

/** Name of the tracer behind every rpc span. */
export const tracerName = "ragline/rpc";

/** The attributes of a call, as the OpenTelemetry conventions for RPC name them. `path` is "/package.Service/Method". */
export function rpcAttributes(path: string): Attributes {
  const [, service = "", method = ""] = path.split("/");
  return { "rpc.system.name": "grpc", "rpc.service": service, "rpc.method": method };
}
