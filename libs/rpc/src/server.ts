import { type ChannelOptions, Server } from "@grpc/grpc-js";
import { serverChannelOptions } from "./channel-options.js";

/** A grpc-js server with Ragline's limits: messages of up to 64 MiB either way, keepalive every 60 s. */
export function createServer(channelOptions: ChannelOptions = {}): Server {
  return new Server({ ...serverChannelOptions, ...channelOptions });
}
