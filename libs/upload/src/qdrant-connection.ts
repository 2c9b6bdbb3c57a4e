import { setTimeout as delay } from "node:timers/promises";
import { QdrantClient } from "@qdrant/js-client-rest";
import pRetry from "p-retry";
import { answerDetail, answerStatus, networkProblem } from "./call-problem.js";
import { type CollectionSchema, collectionParams } from "./collection-schema.js";
import type { Point } from "./point-problem.js";
import type { QdrantAddress } from "./qdrant-address.js";
import { RetryAfterWatch } from "./retry-after-watch.js";
import { UploadError } from "./upload-error.js";

/** How a connection behaves when the server is slow, busy or gone. */
export interface ConnectionOptions {
  readonly address: QdrantAddress;
  /** Sent as `api-key`. */
  readonly apiKey: string | undefined;
  /** Longest wait for one answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Attempts after the first one. */
  readonly retries: number;
  /** Shortest wait before a second attempt, in milliseconds; it doubles from attempt to attempt, with jitter. */
  readonly minBackoffMs: number;
  readonly signal: AbortSignal;
  readonly onRetry: (retry: UploadRetry) => void;
}

/** An attempt that failed and will be made again. */
export interface UploadRetry {
  /** Why, such as "it answered 503". */
  readonly problem: string;
  /** Attempts that are left. */
  readonly retriesLeft: number;
}

/** How the client calls an operation; `redirect` keeps the API key from being sent to another host. */
interface CallInit {
  readonly signal: AbortSignal;
  readonly redirect: "manual";
}

/** A failure that may pass. */
class PassingError extends Error {
  readonly waitMs: number;

  constructor(message: string, waitMs: number, options?: ErrorOptions) {
    super(message, options);
    this.waitMs = waitMs;
  }
}

/** An answer with a status that says no. */
class StatusError extends Error {
  readonly status: number;

  constructor(status: number, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.status = status;
  }
}

const passingStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);
const maxBackoffMs = 30_000;
const longestRetryAfterMs = 600_000;
// Before its first answer a server that does not answer is likelier to be somewhere else than to be busy.
const firstRetries = 2;

/** Qdrant's REST API over its own client, each call made again while its failure may pass. */
export class QdrantConnection {
  readonly #options: ConnectionOptions;
  readonly #client: QdrantClient;
  readonly #retryAfter: RetryAfterWatch;
  #answered = false;

  constructor(options: ConnectionOptions) {
    const { address, apiKey } = options;
    this.#options = options;
    this.#retryAfter = new RetryAfterWatch(address.origin);
    this.#client = new QdrantClient({
      url: address.origin,
      port: address.port,
      ...(address.prefix ? { prefix: address.prefix } : {}),
      // As a header: given as `apiKey`, the client would warn on the console over http.
      ...(apiKey === undefined ? {} : { headers: { "api-key": apiKey } }),
      // The signal of each call has its timeout; the client's own would take the signal's place.
      timeout: Number.POSITIVE_INFINITY,
      checkCompatibility: false,
    });
  }

  /** Parameters of a collection; undefined when there is none of that name. */
  async findCollection(name: string): Promise<ReturnType<typeof collectionParams.parse> | undefined> {
    try {
      const result = await this.#call((init) => this.#client.api().getCollection({ collection_name: name }, init));
      const parsed = collectionParams.safeParse(result.config?.params);
      if (parsed.success) return parsed.data;
      throw this.#notQdrant(parsed.error);
    } catch (error) {
      if (error instanceof StatusError && error.status === 404) return undefined;
      throw this.#sentence(error, `look for the collection ${name}`);
    }
  }

  /** Makes a collection. False when there is one of that name by now, perhaps made by an attempt whose answer was lost. */
  async createCollection(name: string, schema: CollectionSchema): Promise<boolean> {
    try {
      await this.#call((init) =>
        this.#client
          .api()
          .createCollection(
            { collection_name: name, vectors: schema.vectors, sparse_vectors: schema.sparse_vectors },
            init,
          ),
      );
      return true;
    } catch (error) {
      if (error instanceof StatusError && error.status === 409) return false;
      throw this.#sentence(error, `make the collection ${name}`);
    }
  }

  /** Deletes a collection with all of its points; none of that name is fine. */
  async deleteCollection(name: string): Promise<void> {
    try {
      await this.#call((init) => this.#client.api().deleteCollection({ collection_name: name }, init));
    } catch (error) {
      if (error instanceof StatusError && error.status === 404) return;
      throw this.#sentence(error, `delete the collection ${name}`);
    }
  }

  /** Stores points, each in place of the one that has its id, and returns when they are stored. */
  async upsert(name: string, points: readonly Point[]): Promise<void> {
    try {
      await this.#call(
        (init) => this.#client.api().upsertPoints({ collection_name: name, wait: true, points: [...points] }, init),
        // "acknowledged" is a promise, not a fact.
        ({ status }) => status === "completed",
      );
    } catch (error) {
      throw this.#sentence(error, `take ${points.length} points for ${name}`);
    }
  }

  /** Points with these ids, with vectors and payload; ids that are not there are left out. */
  async retrieve(name: string, ids: readonly string[]): Promise<unknown[]> {
    try {
      const points = await this.#call((init) =>
        this.#client
          .api()
          .getPoints({ collection_name: name, ids: [...ids], with_payload: true, with_vector: true }, init),
      );
      if (Array.isArray(points)) return points;
      throw this.#notQdrant();
    } catch (error) {
      throw this.#sentence(error, `read points of ${name}`);
    }
  }

  /** The exact number of points. */
  async count(name: string): Promise<number> {
    try {
      const { count } = await this.#call((init) =>
        this.#client.api().countPoints({ collection_name: name, exact: true }, init),
      );
      if (Number.isInteger(count)) return count;
      throw this.#notQdrant();
    } catch (error) {
      throw this.#sentence(error, `count the points of ${name}`);
    }
  }

  close(): void {
    this.#retryAfter.close();
  }

  /** Makes a call until it succeeds, its failure is final, or the attempts are used up. */
  async #call<Result>(
    send: (init: CallInit) => Promise<{ readonly data: { readonly result?: Result | undefined } }>,
    isDone: (result: Result) => boolean = () => true,
  ): Promise<Result> {
    const { retries, minBackoffMs, signal, onRetry } = this.#options;
    return pRetry(
      async () => {
        const result = await this.#attempt(send);
        if (!isDone(result)) throw new PassingError("it did not confirm that the points are stored", 0);
        return result;
      },
      {
        retries,
        minTimeout: minBackoffMs,
        maxTimeout: maxBackoffMs,
        randomize: true,
        signal,
        shouldRetry: async ({ error, retriesConsumed, retriesLeft }) => {
          if (!(error instanceof PassingError)) return false;
          if (!this.#answered && retriesConsumed >= firstRetries) return false;
          onRetry({ problem: error.message, retriesLeft });
          if (error.waitMs > 0) await delay(error.waitMs, undefined, { signal });
          return true;
        },
      },
    );
  }

  /** Makes a call once; its failure becomes one that may pass or one that is final. */
  async #attempt<Result>(
    send: (init: CallInit) => Promise<{ readonly data: { readonly result?: Result | undefined } }>,
  ): Promise<Result> {
    const { signal, timeoutMs } = this.#options;
    // By hand: what AbortSignal.any makes of AbortSignal.timeout may be collected before it fires.
    const controller = new AbortController();
    const stop = (): void => controller.abort(signal.reason);
    const timer = setTimeout(() => controller.abort(new DOMException("", "TimeoutError")), timeoutMs);
    signal.addEventListener("abort", stop, { once: true });
    this.#retryAfter.take();
    try {
      const { data } = await send({ signal: controller.signal, redirect: "manual" });
      this.#answered = true;
      if (data?.result !== undefined && data.result !== null) return data.result;
    } catch (error) {
      signal.throwIfAborted();
      const { limited, waitMs = 0 } = this.#retryAfter.take();
      const status = limited ? 429 : answerStatus(error);
      if (status === undefined) throw new PassingError(networkProblem(error, timeoutMs), 0, { cause: error });
      this.#answered = true;
      const detail = answerDetail(error);
      if (!passingStatuses.has(status)) throw new StatusError(status, detail, { cause: error });
      if (waitMs > longestRetryAfterMs) {
        throw new UploadError(
          "UNAVAILABLE",
          `The Qdrant server ${this.#options.address.url} asks to wait ${Math.ceil(waitMs / 60_000)} minutes. Run the same command again then: it goes on where it stopped.`,
          { cause: error },
        );
      }
      throw new PassingError(`it answered ${status}${detail ? `, ${detail}` : ""}`, waitMs, { cause: error });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
    throw this.#notQdrant();
  }

  #notQdrant(cause?: unknown): UploadError {
    return new UploadError(
      "REFUSED",
      `What answers at ${this.#options.address.url} is no Qdrant server. Check --url.`,
      cause === undefined ? {} : { cause },
    );
  }

  /** The failure of a call as a sentence. Failures that have one, and an abort, are returned as they are. */
  #sentence(error: unknown, task: string): unknown {
    const { url } = this.#options.address;
    if (error instanceof PassingError) {
      return new UploadError(
        "UNAVAILABLE",
        this.#answered
          ? `The Qdrant server ${url} did not ${task}: ${error.message}, also after ${this.#options.retries} retries. Run the same command again when it is well: it goes on where it stopped.`
          : `No Qdrant server answers at ${url}: ${error.message}. Start it, or check --url.`,
        { cause: error },
      );
    }
    if (!(error instanceof StatusError)) return error;
    if (error.status === 401 || error.status === 403) {
      const key = this.#options.apiKey === undefined ? "Set QDRANT_API_KEY" : "Check the value of QDRANT_API_KEY";
      return new UploadError("UNAUTHORIZED", `The Qdrant server ${url} refused to ${task} (${error.status}). ${key}.`, {
        cause: error,
      });
    }
    const advice =
      error.status === 413
        ? "Give a smaller --batch-points, or raise the server's max_request_size_mb."
        : error.status >= 300 && error.status < 400
          ? "It points to another address; give that as --url."
          : "Check --url and the server's log.";
    const detail = error.message ? `, ${error.message}` : "";
    return new UploadError(
      "REFUSED",
      `The Qdrant server ${url} refused to ${task}: it answered ${error.status}${detail}. ${advice}`,
      {
        cause: error,
      },
    );
  }
}
