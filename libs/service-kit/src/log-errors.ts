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

/** Handlers whose errors are reported inside their span, unless the caller has gone. */
export function logErrors<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  report: (error: unknown, method: string) => void,
): Handlers<S> {
  const tell = (error: unknown, method: DescMethod, call: CallContext) => {
    if (!call.signal.aborted) report(error, `/${method.parent.typeName}/${method.name}`);
  };
  return mapHandlers(service, handlers, {
    unary: (method, handler) => async (request, call) => {
      try {
        return await handler(request, call);
      } catch (error) {
        tell(error, method, call);
        throw error;
      }
    },
    stream: (method, handler) =>
      async function* (request, call) {
        try {
          yield* handler(request, call);
        } catch (error) {
          tell(error, method, call);
          throw error;
        }
      },
  });
}
