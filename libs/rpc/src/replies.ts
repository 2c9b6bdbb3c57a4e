import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";

/** A call that streams replies. */
export type ReplySource = ClientReadableStream<object> | ClientDuplexStream<Buffer, object>;

/**
 * The replies of a call that has started; `explain` makes the error to throw from the one that grpc-js gave.
 * Leaving early cancels the call, even before the first reply was asked for (which a generator's `finally` would miss).
 */
export function replies(call: ReplySource, explain: (error: unknown) => unknown): AsyncIterableIterator<object> {
  const iterator = call.iterator({ destroyOnReturn: false });
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return (await iterator.next()) as IteratorResult<object>;
      } catch (error) {
        call.cancel();
        throw explain(error);
      }
    },
    async return() {
      call.cancel();
      return { done: true, value: undefined };
    },
  };
}
