import type { EventEmitter } from "node:events";
import type { DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  type ClientOptions as ChannelOptions,
  type ClientDuplexStream,
  type ClientWritableStream,
  credentials,
  type CallOptions as GrpcCallOptions,
  Client as GrpcClient,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { clientChannelOptions } from "./channel-options.js";
import { streamsRequests, streamsResponses } from "./handlers.js";
import { encode, methodDefinition } from "./method-definition.js";
import { RaglineError } from "./ragline-error.js";
import { type ReplySource, replies } from "./replies.js";
import { fromServiceError, type ServiceErrorOrigin } from "./service-error.js";
import { traceClient } from "./trace-client.js";
import { writeAll } from "./write-all.js";

/** What a caller may say of one call. */
export interface CallOptions {
  /** Cancels the call when it aborts; the caller then catches a RaglineError CANCELLED whose cause is its reason. @default none */
  readonly signal?: AbortSignal;
  /** Milliseconds from the start of the call until it fails with DEADLINE_EXCEEDED. @default the client's */
  readonly deadlineMs?: number;
  /** Sent beside the request. @default empty */
  readonly metadata?: Metadata;
}

/** How {@link createClient} connects. */
export interface ClientOptions {
  /** What a person calls the other side, in the sentences of errors. @default the service's name, "DenseService" as "dense service" */
  readonly name?: string;
  /** Transport security. @default none: plain HTTP/2 */
  readonly credentials?: ChannelCredentials;
  /** The deadline of every call that does not state its own, in milliseconds. @default none */
  readonly deadlineMs?: number;
  /** Options of the grpc-js channel, over those of Ragline. @default {} */
  readonly channelOptions?: ChannelOptions;
}

type Request<M extends DescMethod> = M["methodKind"] extends "unary" | "server_streaming"
  ? MessageInitShape<M["input"]>
  : AsyncIterable<MessageInitShape<M["input"]>>;

type Response<M extends DescMethod> = M["methodKind"] extends "unary" | "client_streaming"
  ? Promise<MessageShape<M["output"]>>
  : AsyncIterableIterator<MessageShape<M["output"]>>;

/** One function for each rpc of a service, and `close`, which ends the connection once its calls are done. */
export type Client<S extends DescService> = {
  [K in keyof S["method"]]: (request: Request<S["method"][K]>, options?: CallOptions) => Response<S["method"][K]>;
} & { close(): void };

type AnyCall = ReplySource | ClientWritableStream<Buffer> | ReturnType<GrpcClient["makeUnaryRequest"]>;

/** "DenseService" as "dense service". */
function readableName(service: DescService): string {
  return service.name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

/**
 * A typed client of a service over one channel. It connects on the first call.
 *
 * What its calls throw is always a {@link RaglineError} whose message is the server's sentence, or a sentence that
 * names the address where no server spoke; the one exception is a request iterable that throws: the call is
 * cancelled, and the caller catches that very error. A call starts when its function is called. Requests are pulled
 * as the server takes them, replies arrive as the caller asks for them, and leaving a loop over the replies early
 * cancels the call.
 *
 * @param address "host:port" or "unix:/absolute/path"
 */
export function createClient<S extends DescService>(
  service: S,
  address: string,
  options: ClientOptions = {},
): Client<S> {
  const name = options.name ?? readableName(service);
  const client = new GrpcClient(address, options.credentials ?? credentials.createInsecure(), {
    ...clientChannelOptions,
    interceptors: [traceClient(address)],
    ...options.channelOptions,
  });
  const methods = service.methods.map((method) => [
    method.localName,
    methodCaller(client, method, { name, address, deadlineMs: options.deadlineMs }),
  ]);
  return { ...Object.fromEntries(methods), close: () => client.close() } as Client<S>;
}

function methodCaller(client: GrpcClient, method: DescMethod, origin: ServiceErrorOrigin) {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  const encodeRequest = (request: object) => encode(method.input, request);

  return (request: object, call: CallOptions = {}) => {
    const deadlineMs = call.deadlineMs ?? origin.deadlineMs;
    const metadata = call.metadata?.clone() ?? new Metadata();
    const grpcOptions: GrpcCallOptions = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    let requestError: { error: unknown } | undefined;

    /** What the caller should catch when the call failed with `error`. */
    const explain = (error: unknown): unknown => {
      if (requestError) return requestError.error;
      if (call.signal?.aborted) {
        const where = `${origin.name} at ${origin.address}`;
        const cause: unknown = call.signal.reason;
        return new RaglineError("CANCELLED", "CANCELLED", `the call to ${where} was cancelled`, { cause });
      }
      return fromServiceError(error, { ...origin, deadlineMs });
    };

    /** Ties the call to the caller's signal and its requests to the call. */
    const attach = <C extends AnyCall>(started: C): C => {
      const ended = new AbortController();
      const cancel = () => started.cancel();
      call.signal?.addEventListener("abort", cancel, { once: true });
      started.once("status", () => {
        call.signal?.removeEventListener("abort", cancel);
        ended.abort();
      });
      (started as EventEmitter).on("error", () => {}); // told to the caller by the promise or the iterator
      if (call.signal?.aborted) cancel();
      if (streamsRequests(method)) {
        const stream = started as unknown as ClientWritableStream<Buffer> | ClientDuplexStream<Buffer, object>;
        writeAll(stream, request as AsyncIterable<object>, encodeRequest, ended.signal).then(
          () => ended.signal.aborted || stream.end(),
          (error: unknown) => {
            requestError = { error };
            cancel();
          },
        );
      }
      return started;
    };

    if (streamsResponses(method)) {
      const started = streamsRequests(method)
        ? client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, grpcOptions)
        : client.makeServerStreamRequest(
            path,
            requestSerialize,
            responseDeserialize,
            encodeRequest(request),
            metadata,
            grpcOptions,
          );
      return replies(attach(started), explain);
    }
    return new Promise<object>((resolve, reject) => {
      const done = (error: ServiceError | null, response?: object) =>
        error ? reject(explain(error)) : resolve(response as object);
      attach(
        streamsRequests(method)
          ? client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, grpcOptions, done)
          : client.makeUnaryRequest(
              path,
              requestSerialize,
              responseDeserialize,
              encodeRequest(request),
              metadata,
              grpcOptions,
              done,
            ),
      );
    });
  };
}
