import type { DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Metadata } from "@grpc/grpc-js";

/** What a handler knows of its call. */
export interface CallContext {
  /** Aborts when the caller cancels, its process dies, or the deadline passes; the reason is a RaglineError. */
  readonly signal: AbortSignal;
  /** What the caller sent beside the request. */
  readonly metadata: Metadata;
  /** When the caller stops waiting; undefined: never. */
  readonly deadline: Date | undefined;
  /** Address of the caller. */
  readonly peer: string;
}

type Request<M extends DescMethod> = M["methodKind"] extends "unary" | "server_streaming"
  ? MessageShape<M["input"]>
  : AsyncIterable<MessageShape<M["input"]>>;

type Response<M extends DescMethod> = M["methodKind"] extends "unary" | "client_streaming"
  ? Promise<MessageInitShape<M["output"]>>
  : AsyncIterable<MessageInitShape<M["output"]>>;

/** The handler of one rpc: streams are async iterables (an async generator in most cases), single messages promises. */
export type Handler<M extends DescMethod> = (request: Request<M>, context: CallContext) => Response<M>;

/** One handler for each rpc of a service, named as in the generated code (lower camel case). */
export type Handlers<S extends DescService> = { [K in keyof S["method"]]: Handler<S["method"][K]> };

/** A handler whose message types are not known: what code that treats all methods alike works on. */
export type AnyHandler = (request: unknown, context: CallContext) => Promise<object> | AsyncIterable<object>;

/** Whether a method answers with many messages. */
export function streamsResponses(method: DescMethod): boolean {
  return method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
}

/** Whether a method takes many messages. */
export function streamsRequests(method: DescMethod): boolean {
  return method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
}

/**
 * Handlers of which each is wrapped: `unary` around those that answer once, `stream` around those that stream answers.
 * For what holds for every method alike: tracing, admission, logs.
 */
export function mapHandlers<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  wrap: {
    unary(
      method: DescMethod,
      handler: (request: unknown, context: CallContext) => Promise<object>,
    ): (request: unknown, context: CallContext) => Promise<object>;
    stream(
      method: DescMethod,
      handler: (request: unknown, context: CallContext) => AsyncIterable<object>,
    ): (request: unknown, context: CallContext) => AsyncIterable<object>;
  },
): Handlers<S> {
  const given = handlers as Record<string, AnyHandler>;
  const wrapped = service.methods.map((method) => {
    const handler = given[method.localName];
    if (!handler) throw new Error(`${service.typeName} has no handler for ${method.name}`);
    const outer = streamsResponses(method)
      ? wrap.stream(method, handler as Parameters<typeof wrap.stream>[1])
      : wrap.unary(method, handler as Parameters<typeof wrap.unary>[1]);
    return [method.localName, outer];
  });
  return Object.fromEntries(wrapped) as Handlers<S>;
}
