import { InterceptingCall, type Interceptor, type Metadata, type Requester, status } from "@grpc/grpc-js";
import { context, propagation, SpanKind, SpanStatusCode, type TextMapSetter, trace } from "@opentelemetry/api";
import { isTraced, rpcAttributes, serverAttributes, tracerName } from "./trace-names.js";

const setter: TextMapSetter<Metadata> = { set: (metadata, key, value) => metadata.set(key, value) };

const passContextOn: Requester["start"] = (metadata, listener, next) => {
  propagation.inject(context.active(), metadata, setter);
  next(metadata, listener);
};

/**
 * A client interceptor: one CLIENT span for each call, its W3C context sent as `traceparent` metadata.
 * `address` is that of the server. Without an OpenTelemetry SDK it passes on the context it finds and costs nothing else.
 */
export const traceClient =
  (address: string): Interceptor =>
  (options, nextCall) => {
    const { path } = options.method_definition;
    if (!isTraced(path)) return new InterceptingCall(nextCall(options), { start: passContextOn });
    const span = trace.getTracer(tracerName).startSpan(path.slice(1), {
      kind: SpanKind.CLIENT,
      attributes: { ...rpcAttributes(path), ...serverAttributes(address) },
    });
    return new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        propagation.inject(trace.setSpan(context.active(), span), metadata, setter);
        next(metadata, {
          onReceiveStatus(received, pass) {
            span.setAttribute("rpc.response.status_code", status[received.code] ?? String(received.code));
            if (received.code !== status.OK) {
              span.setAttribute("error.type", status[received.code] ?? String(received.code));
              span.setStatus({ code: SpanStatusCode.ERROR, message: received.details });
            }
            span.end();
            pass(received);
          },
        });
      },
    });
  };
