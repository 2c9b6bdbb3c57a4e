import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema, StatusSchema } from "./google-rpc.js";
import { RaglineError, type RaglineErrorOptions, type StatusName } from "./ragline-error.js";

const domain = "ragline";
const detailsKey = "grpc-status-details-bin";

// The sentence travels twice in the trailers, which an HTTP/2 peer limits to 16 KiB in all by default.
const maxMessageLength = 2000;

/** Cut to a length that fits the trailers; lone surrogates, which cannot be sent, become U+FFFD. */
function sendable(message: string): string {
  const cut = message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message;
  return Buffer.from(cut).toString();
}

function packDetails(error: RaglineError): Any[] {
  const metadata = Object.fromEntries(Object.entries(error.details).map(([key, value]) => [key, sendable(value)]));
  const packed = [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: error.reason, domain, metadata }))];
  if (error.code === status.RESOURCE_EXHAUSTED || error.code === status.UNAVAILABLE) {
    const retryDelay = durationFromMs(error.retryDelayMs);
    packed.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
  }
  if (error.code === status.INVALID_ARGUMENT) {
    const fieldViolations = error.violations.map(({ field, description }) => ({ field, description }));
    packed.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  }
  return packed;
}

/**
 * The form of an error that grpc-js sends: code, sentence, and `google.rpc.Status` in `grpc-status-details-bin`
 * with ErrorInfo always, RetryInfo with RESOURCE_EXHAUSTED and UNAVAILABLE, BadRequest with INVALID_ARGUMENT.
 * Anything but a {@link RaglineError} becomes INTERNAL "internal error": its own text stays inside.
 */
export function toServiceError(error: unknown): ServiceError {
  const known = error instanceof RaglineError ? error : new RaglineError("INTERNAL", "INTERNAL", "internal error");
  const message = sendable(known.message);
  const details = create(StatusSchema, { code: known.code, message, details: packDetails(known) });
  const metadata = new Metadata();
  metadata.set(detailsKey, Buffer.from(toBinary(StatusSchema, details)));
  return Object.assign(new Error(message), { code: known.code, details: message, metadata });
}

/** What {@link fromServiceError} says of the other side. */
export interface ServiceErrorOrigin {
  /** What a person calls the other side, such as "dense service". @default "service" */
  readonly name?: string;
  /** Its address, such as "unix:/run/dense.sock". */
  readonly address: string;
  /** The deadline of the call, in milliseconds after its start. @default none */
  readonly deadlineMs?: number | undefined;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}

/** What the server put into the trailers, if it is a Ragline server. */
function unpackDetails(error: ServiceError): RaglineError | undefined {
  const [bytes] = error.metadata?.get(detailsKey) ?? [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  let sent: { message: string; details: Any[] };
  try {
    sent = fromBinary(StatusSchema, bytes);
  } catch {
    return undefined; // a foreign server's own use of the trailer
  }
  const info = sent.details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((found) => found?.domain === domain);
  if (!info) return undefined;
  const retry = sent.details.map((any) => anyUnpack(any, RetryInfoSchema)).find(Boolean);
  const bad = sent.details.map((any) => anyUnpack(any, BadRequestSchema)).find(Boolean);
  const options: RaglineErrorOptions = {
    details: info.metadata,
    ...(retry?.retryDelay && { retryDelayMs: durationMs(retry.retryDelay) }),
    ...(bad && { violations: bad.fieldViolations.map(({ field, description }) => ({ field, description })) }),
  };
  return new RaglineError(status[error.code] as StatusName, info.reason, sent.message, options);
}

type Description = readonly [code: StatusName, reason: string, message: string];

// grpc-js says this of a call that was cancelled here; any other CANCELLED is a connection that the server cut.
const cancelledHere = "Cancelled on client";

/** Code, reason and sentence of an error that grpc-js made up itself, or that a server without details sent. */
function describe(error: ServiceError, origin: ServiceErrorOrigin): Description {
  const where = `${origin.name ?? "service"} at ${origin.address}`;
  // What grpc-js leaves empty in its own sentence is taken out.
  const said = error.details.replace(/(Last error: null|Resolution note:)/g, "").replace(/[\s.:]+$/, "");
  const lost: Description = [
    "UNAVAILABLE",
    "CONNECTION_LOST",
    `${where} went away before it had answered: ${said}; did it crash or stop?`,
  ];
  switch (error.code) {
    case status.UNAVAILABLE:
      return /^(No connection established|Name resolution failed|Failed to connect)/.test(said)
        ? ["UNAVAILABLE", "NOT_REACHABLE", `${where} is not reachable: ${said}; is it running?`]
        : lost;
    case status.CANCELLED:
      return said === cancelledHere ? ["CANCELLED", "CANCELLED", `the call to ${where} was cancelled`] : lost;
    case status.DEADLINE_EXCEEDED: {
      const limit = origin.deadlineMs === undefined ? "the deadline" : `${origin.deadlineMs} ms`;
      return ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", `${where} did not finish within ${limit}`];
    }
    case status.UNIMPLEMENTED: {
      const message = `${where} does not offer this call: ${said}; is it the right service and version?`;
      return ["UNIMPLEMENTED", "UNIMPLEMENTED", message];
    }
    default: {
      const code = (status[error.code] ?? "UNKNOWN") as StatusName;
      return [code, code, `${where} failed: ${said || "no reason given"}`];
    }
  }
}

/**
 * The {@link RaglineError} behind what a grpc-js call failed with. Its message is the server's own sentence;
 * where no Ragline server spoke (nothing listens, the connection broke, the deadline passed) it is a sentence
 * that names the address. A RaglineError passes through.
 */
export function fromServiceError(error: unknown, origin: ServiceErrorOrigin): RaglineError {
  if (error instanceof RaglineError) return error;
  const where = `${origin.name ?? "service"} at ${origin.address}`;
  if (!isServiceError(error)) {
    const said = error instanceof Error ? error.message : String(error);
    return new RaglineError("UNKNOWN", "UNKNOWN", `the call to ${where} failed: ${said}`, { cause: error });
  }
  const sent = unpackDetails(error);
  if (sent) return sent;
  const [code, reason, message] = describe(error, origin);
  return new RaglineError(code, reason, message, { cause: error });
}
