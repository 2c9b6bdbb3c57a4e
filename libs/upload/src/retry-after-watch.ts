import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { parseRetryAfter } from "@ragline/http";

interface HeadersMessage {
  readonly request: { readonly origin: string | URL };
  readonly response: { readonly statusCode: number; readonly headers: readonly Buffer[] };
}

/**
 * Watches a server's answers of status 429 and 503 for how long they ask to wait. The Qdrant client hands on the first
 * character of the header alone, and fails on dates; undici, on which it rests, tells all headers on this channel.
 */
export class RetryAfterWatch {
  readonly #origin: string;
  #waitMs: number | undefined;
  #limited = false;

  constructor(origin: string) {
    this.#origin = new URL(origin).origin;
    subscribe("undici:request:headers", this.#onHeaders);
  }

  readonly #onHeaders = (message: unknown): void => {
    const { request, response } = message as HeadersMessage;
    if (String(request.origin) !== this.#origin) return;
    this.#limited = response.statusCode === 429;
    if (![429, 503].includes(response.statusCode)) return;
    const { headers } = response;
    for (let i = 0; i + 1 < headers.length; i += 2)
      if (headers[i]?.toString("latin1").toLowerCase() === "retry-after")
        this.#waitMs = parseRetryAfter(headers[i + 1]?.toString("latin1") ?? "");
  };

  /** What the last answer asked for; asking clears it. */
  take(): { readonly limited: boolean; readonly waitMs: number | undefined } {
    const taken = { limited: this.#limited, waitMs: this.#waitMs };
    this.#limited = false;
    this.#waitMs = undefined;
    return taken;
  }

  close(): void {
    unsubscribe("undici:request:headers", this.#onHeaders);
  }
}
