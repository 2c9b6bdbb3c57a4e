import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type CallContext, type Handlers, mapHandlers, RaglineError } from "@ragline/rpc";
import type { Logger } from "./logger.js";

// The caller cannot mend these: something is wrong here.
const serious = new Set(["INTERNAL", "UNKNOWN", "DATA_LOSS"]);

/** Tells the log of an error with its causes, once: the same error reported again is ignored. */
export function errorReporter(log: Logger): (error: unknown, method: string) => void {
  const reported = new WeakSet<object>();
  return (error, method) => {
    if (typeof error === "object" && error !== null) {
      if (reported.has(error)) return;
      reported.add(error);
    }
    const known = error instanceof RaglineError;
    const code = known ? error.codeName : "INTERNAL";
    const fields = { method, code, reason: known ? error.reason : "INTERNAL", err: error };
    if (serious.has(code)) log.error(fields, known ? error.message : "unknown error, told to the caller as internal");
    else log.warn(fields, error instanceof Error ? error.message : String(error));
  };
}

/** Handlers that log their calls inside their span: one line at the end, of what was done or, by `report`, what failed. */
export function logCalls<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  log: Logger,
  report: (error: unknown, method: string) => void,
): Handlers<S> {
  const begin = (method: DescMethod, call: CallContext) => {
    const startedAt = performance.now();
    const name = `/${method.parent.typeName}/${method.name}`;
    const fields = () => ({ method: name, seconds: Math.round(performance.now() - startedAt) / 1000 });
    return {
      done: () => log.info(fields(), "call done"),
      failed: (error: unknown) => {
        // The caller has gone, so nobody is waiting for it any more.
        if (call.signal.aborted) log.info(fields(), "call cancelled");
        else report(error, name);
      },
    };
  };
  return mapHandlers(service, handlers, {
    unary: (method, handler) => async (request, call) => {
      const told = begin(method, call);
      try {
        const reply = await handler(request, call);
        told.done();
        return reply;
      } catch (error) {
        told.failed(error);
        throw error;
      }
    },
    stream: (method, handler) =>
      async function* (request, call) {
        const told = begin(method, call);
        try {
          yield* handler(request, call);
          told.done();
        } catch (error) {
          told.failed(error);
          throw error;
        }
      },
  });
}
