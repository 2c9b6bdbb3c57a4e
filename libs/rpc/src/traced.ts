import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { Metadata } from "@grpc/grpc-js";
import {
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type TextMapGetter,
  trace,
} from "@opentelemetry/api";
import { type CallContext, type Handlers, mapHandlers } from "./handlers.js";
import { recordFailure } from "./record-failure.js";
import { isTraced, rpcAttributes, tracerName } from "./trace-names.js";

const getter: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get: (metadata, key) => metadata.get(key).map(String),
};

const callerKey = createContextKey("ragline.caller");

/** The span of whoever called the handler that runs now, in its own process; undefined outside of calls. */
export function callerSpan(): SpanContext | undefined {
  return context.active().getValue(callerKey) as SpanContext | undefined;
}

function startServerSpan(method: DescMethod, call: CallContext): { span: Span; active: Context } {
  const path = `/${method.parent.typeName}/${method.name}`;
  const parent = propagation.extract(ROOT_CONTEXT, call.metadata, getter);
  const span = trace
    .getTracer(tracerName)
    .startSpan(path.slice(1), { kind: SpanKind.SERVER, attributes: rpcAttributes(path) }, parent);
  return { span, active: trace.setSpan(parent, span).setValue(callerKey, trace.getSpanContext(parent)) };
}

/** Runs every step of an iterable in one context: a generator's body otherwise runs in that of whoever asks for its next value. */
async function* within<T>(active: Context, items: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = context.with(active, () => items[Symbol.asyncIterator]());
  try {
    for (;;) {
      const step = await context.with(active, () => iterator.next());
      if (step.done) return;
      yield step.value;
    }
  } finally {
    await context.with(active, () => iterator.return?.());
  }
}

/** Runs an untraced handler in the caller's context, so that what it logs has the ids. */
const callerContext = (call: CallContext): Context => propagation.extract(ROOT_CONTEXT, call.metadata, getter);

/** Handlers that run inside a SERVER span whose parent is the caller's span (W3C `traceparent` metadata). */
export function traced<S extends DescService>(service: S, handlers: Handlers<S>): Handlers<S> {
  return mapHandlers(service, handlers, {
    unary: (method, handler) => async (request, call) => {
      const { span, active } = startServerSpan(method, call);
      try {
        return await context.with(active, handler, undefined, request, call);
      } catch (error) {
        recordFailure(span, error);
        throw error;
      } finally {
        span.end();
      }
    },
    stream: (method, handler) =>
      async function* (request, call) {
        if (!isTraced(`/${method.parent.typeName}/${method.name}`)) {
          const caller = callerContext(call);
          yield* within(caller, context.with(caller, handler, undefined, request, call));
          return;
        }
        const { span, active } = startServerSpan(method, call);
        try {
          yield* within(active, context.with(active, handler, undefined, request, call));
        } catch (error) {
          recordFailure(span, error);
          throw error;
        } finally {
          span.end();
        }
      },
  });
}
