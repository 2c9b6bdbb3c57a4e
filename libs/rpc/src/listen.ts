import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { RaglineError } from "./ragline-error.js";

const unixPrefix = "unix:";

/** "host:port" of an address; ":port" is loopback. Throws a sentence where it is neither that nor "unix:/path". */
function hostAndPort(address: string): { host: string; port: number } {
  const match = /^(?<host>\[[^\]]+\]|[^:[\]]*):(?<port>\d{1,5})$/.exec(address);
  const port = Number(match?.groups?.["port"]);
  if (!match || port > 65_535) {
    throw new RaglineError(
      "INVALID_ARGUMENT",
      "ADDRESS_INVALID",
      `cannot listen on "${address}": expected host:port (port 0 takes a free one) or unix:/absolute/path`,
    );
  }
  return { host: match.groups?.["host"] || "127.0.0.1", port };
}

/** Removes a socket file on which nobody answers. */
async function removeStaleSocket(path: string): Promise<void> {
  const isSocket = await lstat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
  if (!answers) await unlink(path);
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

function cannotListen(address: string, cause: unknown): RaglineError {
  const said = cause instanceof Error ? cause.message : String(cause);
  if (/EADDRINUSE/.test(said)) {
    const what = address.startsWith(unixPrefix) ? "socket" : "port";
    const message = `cannot listen on ${address}: the ${what} is in use; stop who uses it or choose another (port 0 takes a free one)`;
    return new RaglineError("FAILED_PRECONDITION", "ADDRESS_IN_USE", message, { cause });
  }
  return new RaglineError("FAILED_PRECONDITION", "CANNOT_LISTEN", `cannot listen on ${address}: ${said}`, { cause });
}

/**
 * Binds a server and returns the address that clients can dial, with the real port. It serves at once.
 * A socket file that a killed process left behind is replaced; one that answers is in use.
 *
 * @param address "host:port", ":port" (loopback), or "unix:/absolute/path"; port 0 takes a free one
 * @throws RaglineError FAILED_PRECONDITION ADDRESS_IN_USE or CANNOT_LISTEN, INVALID_ARGUMENT ADDRESS_INVALID
 */
export async function listen(
  server: Server,
  address: string,
  credentials: ServerCredentials = ServerCredentials.createInsecure(),
): Promise<string> {
  const fail = (error: unknown) => {
    throw cannotListen(address, error);
  };
  if (address.startsWith(unixPrefix)) {
    await removeStaleSocket(address.slice(unixPrefix.length)).catch(fail);
    await bind(server, address, credentials).catch(fail);
    return address;
  }
  const { host, port } = hostAndPort(address);
  const bound = await bind(server, `${host}:${port}`, credentials).catch(fail);
  return `${host}:${bound}`;
}
