import type { Attributes } from "@opentelemetry/api";

/** Name of the tracer behind every rpc span. */
export const tracerName = "ragline/rpc";

/** The attributes of a call, as the OpenTelemetry conventions for RPC name them. `path` is "/package.Service/Method". */
export function rpcAttributes(path: string): Attributes {
  const [, service = "", method = ""] = path.split("/");
  return { "rpc.system.name": "grpc", "rpc.service": service, "rpc.method": method };
}

/** The attributes of the other side of a call: which of several replicas it was. A socket of this host has no name worth telling. */
export function serverAttributes(address: string): Attributes {
  const at = address.lastIndexOf(":");
  if (address.startsWith("unix:")) return { "network.transport": "unix" };
  return { "server.address": address.slice(0, at), "server.port": Number(address.slice(at + 1)) };
}

// Streams that last as long as their process's work: a lease that is held, a trace that is collected. What happens on
// them are events of other spans.
const untraced = new Set(["/ragline.v1.LeaseService/Hold", "/ragline.v1.TelemetryService/Collect"]);

/** Whether a call gets a span of its own. */
export function isTraced(path: string): boolean {
  return !untraced.has(path);
}
