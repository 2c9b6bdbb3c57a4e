import { type ChannelCredentials, Client, credentials } from "@grpc/grpc-js";
import { clientChannelOptions } from "./channel-options.js";
import { RaglineError } from "./ragline-error.js";

/** How {@link assertReachable} connects. */
export interface ReachableOptions {
  /** What a person calls the other side. @default "service" */
  readonly name?: string;
  /** Transport security. @default none: plain HTTP/2 */
  readonly credentials?: ChannelCredentials;
  /** How long the connection may take, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

/**
 * Connects to an address and closes again, to find out before long work that nobody listens there.
 * @throws RaglineError UNAVAILABLE NOT_REACHABLE naming the address.
 */
export async function assertReachable(address: string, options: ReachableOptions = {}): Promise<void> {
  const { name = "service", timeoutMs = 5000 } = options;
  const client = new Client(address, options.credentials ?? credentials.createInsecure(), clientChannelOptions);
  try {
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + timeoutMs, (error) => (error ? reject(error) : resolve()));
    });
  } catch (cause) {
    const message = `${name} at ${address} is not reachable within ${timeoutMs} ms; is it running?`;
    throw new RaglineError("UNAVAILABLE", "NOT_REACHABLE", message, { cause });
  } finally {
    client.close();
  }
}
