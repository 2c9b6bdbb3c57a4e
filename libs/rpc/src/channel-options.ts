import type { ChannelOptions } from "@grpc/grpc-js";

/** Largest message in either direction, in bytes: 64 MiB. */
export const maxMessageBytes = 64 * 1024 * 1024;

const both: ChannelOptions = {
  "grpc.max_send_message_length": maxMessageBytes,
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.keepalive_timeout_ms": 20_000,
};

/** What every channel of a client is opened with. */
export const clientChannelOptions: ChannelOptions = {
  ...both,
  "grpc.keepalive_time_ms": 30_000,
  // The retry buffer takes messages as written before the network has; beyond this many bytes the real pace counts.
  "grpc.per_rpc_retry_buffer_size": 64 * 1024,
  // Stages talk over loopback or inside a cluster, never through the HTTP proxy that a shell happens to name.
  "grpc.enable_http_proxy": 0,
};

/** What every server is made with. */
export const serverChannelOptions: ChannelOptions = { ...both, "grpc.keepalive_time_ms": 60_000 };
