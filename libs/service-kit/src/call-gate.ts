import type { DescService } from "@bufbuild/protobuf";
import { type CallContext, type Handlers, mapHandlers, RaglineError } from "@ragline/rpc";

const shuttingDown = () =>
  new RaglineError("UNAVAILABLE", "SHUTTING_DOWN", "the service is shutting down; send the call to another instance");

/** Lets calls in and counts them until it is closed; then refuses new ones while those inside finish. */
export class CallGate {
  readonly #cancel = new AbortController();
  #closed = false;
  #inside = 0;
  #empty: (() => void) | undefined;

  /** Aborts when the calls inside are cancelled. */
  get cancelled(): AbortSignal {
    return this.#cancel.signal;
  }

  /** Handlers behind this gate: their signal aborts on {@link cancel}, too. */
  guard<S extends DescService>(service: S, handlers: Handlers<S>): Handlers<S> {
    return mapHandlers(service, handlers, {
      unary: (_method, handler) => async (request, call) => {
        const { context, leave } = this.#enter(call);
        try {
          return await handler(request, context);
        } catch (error) {
          throw this.#cancelled(call) ? shuttingDown() : error;
        } finally {
          leave();
        }
      },
      stream: (_method, handler) => (request, call) => this.#streamInside(handler, request, call),
    });
  }

  /** Refuses new calls from now on, and resolves once those inside are done, or after the grace time. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    if (this.#inside === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#empty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Cancels the calls inside: their callers get UNAVAILABLE SHUTTING_DOWN. */
  cancel(): void {
    this.#closed = true;
    this.#cancel.abort(shuttingDown());
  }

  /** How many calls are inside. */
  get inside(): number {
    return this.#inside;
  }

  async *#streamInside(
    handler: (request: unknown, context: CallContext) => AsyncIterable<object>,
    request: unknown,
    call: CallContext,
  ): AsyncGenerator<object> {
    const { context, leave } = this.#enter(call);
    try {
      yield* handler(request, context);
    } catch (error) {
      throw this.#cancelled(call) ? shuttingDown() : error;
    } finally {
      leave();
    }
  }

  #cancelled(call: CallContext): boolean {
    return this.#cancel.signal.aborted && !call.signal.aborted;
  }

  #enter(call: CallContext): { context: CallContext; leave: () => void } {
    if (this.#closed) throw shuttingDown();
    this.#inside += 1;
    const abort = new AbortController();
    const sources = [call.signal, this.#cancel.signal];
    const onAbort = (event: Event) => abort.abort((event.target as AbortSignal).reason);
    for (const source of sources) source.addEventListener("abort", onAbort, { once: true });
    return {
      context: { ...call, signal: abort.signal },
      leave: () => {
        for (const source of sources) source.removeEventListener("abort", onAbort);
        this.#inside -= 1;
        if (this.#inside === 0) this.#empty?.();
      },
    };
  }
}
