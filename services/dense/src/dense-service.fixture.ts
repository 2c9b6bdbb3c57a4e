import { PassThrough } from "node:stream";
import { DenseService, type DenseVectors, type Outcome, Precision, type StageSummary } from "@ragline/contracts";
import { LeaseBroker } from "@ragline/gpu-lease";
import { watchChildren } from "@ragline/processes";
import { type CallOptions, type Client, createClient } from "@ragline/rpc";
import { startService } from "@ragline/service-kit";
import { type StageOptions, TokenQueue } from "@ragline/stage";
import { noMetrics } from "@ragline/telemetry";
import { fromFloat32Bytes } from "@ragline/vectors";
import { onTestFinished } from "vitest";
import { denseHandlers } from "./dense-handlers.js";

// What the tests of the service share: a real server, and a stream to it that speaks one message at a time.

type DenseClient = Client<typeof DenseService>;
type Request = Parameters<DenseClient["embed"]>[0] extends AsyncIterable<infer R> ? R : never;
/** What a client sends on the stream. */
export type RequestKind = NonNullable<Request["kind"]>;
type Open = Extract<RequestKind, { case: "open" }>["value"];

/** Starts a service on a free port, with one worker for each model unless told otherwise; it ends with the test. */
export async function startDense(options: Partial<StageOptions> = {}) {
  const broker = new LeaseBroker({ devices: [{ name: "cpu:0", kind: "cpu" }] });
  const handlers = () =>
    denseHandlers({
      queue: new TokenQueue({ maxTokens: 1e6 }),
      leases: broker,
      observer: noMetrics,
      workers: 1,
      ...options,
    });
  const service = await startService(
    { name: "dense", service: DenseService, handlers },
    { args: ["--log-level", "silent"] },
  );
  const client = createClient(DenseService, service.address);
  onTestFinished(async () => {
    client.close();
    await service.drain(0);
  });
  return { service, client, broker };
}

/** The worker processes that live, of those started from now on to the end of the test. */
export function watchWorkers(): () => number[] {
  const children = watchChildren();
  onTestFinished(() => children.stop());
  return () => children.living().flatMap(({ pid }) => pid ?? []);
}

/** What the promise is rejected with. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
}

/** One stream: what is sent is up to the test, and so is when the answers are read. */
export class DenseStream {
  readonly #requests = new PassThrough({ objectMode: true });
  readonly #replies: ReturnType<DenseClient["embed"]>;
  #sent = 0;

  constructor(client: DenseClient, options: CallOptions = {}) {
    this.#replies = client.embed(this.#requests, options);
  }

  /** A stream that has asked for a model. */
  static open(client: DenseClient, open: Open, options?: CallOptions): DenseStream {
    const stream = new DenseStream(client, options);
    const value = { model: "all-miniLM-l6", precision: Precision.INT8, ...open };
    stream.send({ case: "open", value: value as Open });
    return stream;
  }

  send(kind: RequestKind | { case: undefined }): void {
    this.#requests.write({ kind });
  }

  /** Sends a batch of passages whose first index is the count of texts sent before. */
  sendTexts(...texts: string[]): void {
    this.send({ case: "texts", value: { firstIndex: BigInt(this.#sent), texts } });
    this.#sent += texts.length;
  }

  /** The next answer. */
  async next() {
    const step = await this.#replies.next();
    if (step.done) throw new Error("the stream has ended");
    return step.value.kind;
  }

  async ready() {
    const kind = await this.next();
    if (kind.case !== "ready") throw new Error(`"${kind.case}" instead of "ready"`);
    return kind.value;
  }

  async vectors(): Promise<DenseVectors & { matrix: Float32Array }> {
    const kind = await this.next();
    if (kind.case !== "vectors") throw new Error(`"${kind.case}" instead of "vectors"`);
    return { ...kind.value, matrix: fromFloat32Bytes(kind.value.values) };
  }

  /** Sends a batch and waits for its vectors. */
  embed(...texts: string[]): ReturnType<DenseStream["vectors"]> {
    this.sendTexts(...texts);
    return this.vectors();
  }

  /** Ends the requests and reads the summary, which must be the last answer. */
  async end(): Promise<StageSummary> {
    this.#requests.end();
    const kind = await this.next();
    if (kind.case !== "summary") throw new Error(`"${kind.case}" instead of "summary"`);
    if (!(await this.#replies.next()).done) throw new Error("an answer after the summary");
    return kind.value;
  }
}

/** An outcome without the fields that are the same for all of the service's. */
export const brief = ({ reason, count, degraded }: Outcome) => ({ reason, count, degraded });
