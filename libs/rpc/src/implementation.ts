import type { EventEmitter } from "node:events";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type {
  Deadline,
  Metadata,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { AnyHandler, CallContext, Handlers } from "./handlers.js";
import { encode } from "./method-definition.js";
import { RaglineError } from "./ragline-error.js";
import { toServiceError } from "./service-error.js";
import { writeAll } from "./write-all.js";

/** How {@link implementation} tells of what went wrong. */
export interface ImplementationOptions {
  /**
   * Called once for every error a handler threw, before it is sent. Anything but a RaglineError is an unknown error:
   * the caller reads no more than "internal error", so this is the place to log it with its causes.
   * Not called for what a handler throws after its caller has gone. @default ignored
   */
  readonly onError?: (error: unknown, call: { readonly method: string; readonly peer: string }) => void;
}

/** What the four kinds of server call have in common. */
interface ServerCall extends EventEmitter {
  readonly metadata: Metadata;
  getDeadline(): Deadline;
  getPeer(): string;
}

function deadlineOf(call: ServerCall): Date | undefined {
  const deadline = call.getDeadline();
  if (deadline instanceof Date) return deadline;
  return Number.isFinite(deadline) ? new Date(deadline) : undefined;
}

/** The context of a call, and what ends its signal's watch: grpc-js says "cancelled" of calls that ended well, too. */
function openContext(call: ServerCall): { context: CallContext; settle: () => void } {
  const abort = new AbortController();
  const deadline = deadlineOf(call);
  const onCancelled = () => {
    const late = deadline !== undefined && deadline.getTime() <= Date.now();
    abort.abort(
      late
        ? new RaglineError("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "the call's deadline has passed")
        : new RaglineError("CANCELLED", "CANCELLED", "the caller cancelled the call or went away"),
    );
  };
  call.once("cancelled", onCancelled);
  return {
    context: { signal: abort.signal, metadata: call.metadata, deadline, peer: call.getPeer() },
    settle: () => call.removeListener("cancelled", onCancelled),
  };
}

// An iterator that destroyed its stream at the end of the requests would take the unsent replies with it.
const keepOpen = { destroyOnReturn: false };

function methodImplementation(method: DescMethod, handler: AnyHandler, options: ImplementationOptions) {
  const path = `/${method.parent.typeName}/${method.name}`;
  /** Runs the handler; `fail` gets the error to send, unless nobody waits for it any more. */
  const serve = async (
    call: ServerCall,
    answer: (context: CallContext) => Promise<void>,
    fail: (error: ReturnType<typeof toServiceError>) => void,
  ): Promise<void> => {
    const { context, settle } = openContext(call);
    try {
      await answer(context);
    } catch (error) {
      if (context.signal.aborted) return;
      options.onError?.(error, { method: path, peer: context.peer });
      fail(toServiceError(error));
    } finally {
      settle();
    }
  };
  const answerOnce = (
    call: ServerUnaryCall<object, Buffer> | ServerReadableStream<object, Buffer>,
    request: unknown,
    done: sendUnaryData<Buffer>,
  ): void => {
    const answer = async (context: CallContext) => {
      done(null, encode(method.output, (await handler(request, context)) as object));
    };
    void serve(call, answer, (error) => done(error));
  };
  const answerAll = (
    call: ServerWritableStream<object, Buffer> | ServerDuplexStream<object, Buffer>,
    request: unknown,
  ): void => {
    const answer = async (context: CallContext) => {
      const replies = handler(request, context) as AsyncIterable<object>;
      await writeAll(call, replies, (reply) => encode(method.output, reply), context.signal);
      if (!context.signal.aborted) call.end();
    };
    void serve(call, answer, (error) => call.emit("error", error));
  };
  switch (method.methodKind) {
    case "unary":
      return (call: ServerUnaryCall<object, Buffer>, done: sendUnaryData<Buffer>) =>
        answerOnce(call, call.request, done);
    case "client_streaming":
      return (call: ServerReadableStream<object, Buffer>, done: sendUnaryData<Buffer>) =>
        answerOnce(call, call.iterator(keepOpen), done);
    case "server_streaming":
      return (call: ServerWritableStream<object, Buffer>) => answerAll(call, call.request);
    case "bidi_streaming":
      return (call: ServerDuplexStream<object, Buffer>) => answerAll(call, call.iterator(keepOpen));
  }
}

/**
 * The grpc-js implementation of a service, for `server.addService(serviceDefinition(service), …)`.
 *
 * A handler's answers are pulled only as fast as the caller reads, its requests only as fast as it asks for them.
 * When the caller cancels, dies or runs out of time, the context's signal aborts and the handler's generator is closed.
 */
export function implementation<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  options: ImplementationOptions = {},
): UntypedServiceImplementation {
  const given = handlers as Record<string, AnyHandler>;
  const methods = service.methods.map((method) => {
    const handler = given[method.localName];
    if (!handler) throw new Error(`${service.typeName} has no handler for ${method.name}`);
    return [method.localName, methodImplementation(method, handler, options)];
  });
  return Object.fromEntries(methods) as UntypedServiceImplementation;
}
