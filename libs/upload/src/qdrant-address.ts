import { UploadError } from "./upload-error.js";

/** Where a Qdrant server is, in the parts that its client takes. */
export interface QdrantAddress {
  /** Without a slash at the end; for messages. */
  readonly url: string;
  readonly origin: string;
  readonly port: number;
  /** Path of a proxy before Qdrant's own paths, such as `/qdrant`; often empty. */
  readonly prefix: string;
  /** Whether what is sent stays on this machine or is encrypted. */
  readonly isPrivate: boolean;
}

const qdrantPort = 6333;

/**
 * Reads a server's URL; without a port it is Qdrant's 6333, as in Qdrant's own clients.
 * @throws UploadError INVALID_ARGUMENT; the message never repeats what may be a password.
 */
export function parseQdrantUrl(text: string): QdrantAddress {
  const example = "Give one such as http://127.0.0.1:6333.";
  const parsed = URL.parse(text);
  if (parsed === null || !["http:", "https:"].includes(parsed.protocol) || parsed.hostname === "")
    throw new UploadError("INVALID_ARGUMENT", `--url takes an http or https URL of a Qdrant server. ${example}`);
  const { protocol, hostname, pathname, username, password, search, hash } = parsed;
  if (username || password || search || hash) {
    throw new UploadError(
      "INVALID_ARGUMENT",
      `--url has a user, a password, a query or a fragment, which Qdrant does not take. ${example} A key goes into the environment variable QDRANT_API_KEY.`,
    );
  }
  // URL drops a scheme's own port; only the text knows whether it was asked for.
  const given = /^[a-z]+:\/\/[^/]*:(\d+)(?:\/|$)/i.exec(text.trim())?.[1];
  const port = given === undefined ? qdrantPort : Number(given);
  const prefix = pathname.replace(/\/+$/, "");
  return {
    url: `${protocol}//${hostname}:${port}${prefix}`,
    origin: `${protocol}//${hostname}:${port}`,
    port,
    prefix,
    isPrivate: protocol === "https:" || hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127."),
  };
}
