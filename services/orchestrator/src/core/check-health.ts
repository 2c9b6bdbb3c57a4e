import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { service as health } from "grpc-health-check";

/** How {@link checkHealth} asks. */
export interface HealthOptions {
  /** Full name of one gRPC service, such as "ragline.v1.DenseService". @default the server as a whole */
  readonly service?: string;
  /** How long the answer may take, in milliseconds. @default 3000 */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 3000;

/** The one method of grpc.health.v1.Health that is needed, as grpc-health-check describes it. */
interface CheckMethod {
  readonly path: string;
  readonly requestSerialize: (request: { service: string }) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => { readonly status: string };
}

/**
 * Asks a server for its health over the standard gRPC protocol (grpc.health.v1), as an orchestrator of containers does.
 * It is asked every few seconds for each container, so nothing of Ragline is loaded for it.
 *
 * @param address "host:port" or "unix:/path"
 * @returns "SERVING", "NOT_SERVING", "UNKNOWN" or "SERVICE_UNKNOWN"
 * @throws Error with a sentence for the user when there is no answer in time.
 */
export async function checkHealth(
  address: string,
  { service = "", timeoutMs = defaultTimeoutMs }: HealthOptions = {},
): Promise<string> {
  const method = health["Check"] as unknown as CheckMethod;
  const client = new Client(address, credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
  try {
    const { status } = await new Promise<{ readonly status: string }>((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        { service },
        { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, reply) => (error || !reply ? reject(error) : resolve(reply)),
      );
    });
    return status;
  } catch (cause) {
    const said = (cause as ServiceError).details || (cause as Error).message;
    throw new Error(`${address} did not tell its health within ${timeoutMs} ms (${said}); is it running?`, { cause });
  } finally {
    client.close();
  }
}
