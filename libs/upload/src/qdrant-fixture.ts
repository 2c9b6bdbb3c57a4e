import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

/** What goes wrong with one request. "before" and "after" say whether the request had its effect. */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string | (() => string) }
  | { readonly kind: "silence"; readonly applied: boolean }
  | { readonly kind: "cut"; readonly at: "body" | "before" | "after" | "answer" }
  /** An upsert that had its effect, but is answered as one that will have it. */
  | { readonly kind: "acknowledged" };

const float = z.number().refine((value) => Number.isFinite(Math.fround(value)));
const index = z.int().min(0).max(4294967295);
const sparse = z
  .strictObject({ indices: z.array(index), values: z.array(float) })
  .refine(({ indices, values }) => indices.length === values.length && new Set(indices).size === indices.length);
const point = z.strictObject({
  id: z.union([z.uuid(), z.int().nonnegative()]),
  vector: z.record(z.string(), z.union([z.array(float), sparse])),
  payload: z.record(z.string(), z.unknown()).optional(),
});
const schema = z.strictObject({
  vectors: z.record(
    z.string(),
    z.strictObject({ size: z.int().positive(), distance: z.enum(["Cosine", "Dot", "Euclid", "Manhattan"]) }),
  ),
  sparse_vectors: z.record(z.string(), z.strictObject({ modifier: z.enum(["none", "idf"]).optional() })).optional(),
});
const upsert = z.strictObject({ points: z.array(point) });
const count = z.strictObject({ exact: z.boolean().optional() });
const retrieve = z.strictObject({
  ids: z.array(z.string()),
  with_payload: z.boolean().optional(),
  with_vector: z.boolean().optional(),
});

/** A point as the stand-in keeps it. */
export type StoredPoint = z.infer<typeof point>;

interface Collection {
  readonly params: z.infer<typeof schema>;
  readonly points: Map<string | number, StoredPoint>;
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** As strict as the real server is: unknown keys, vectors of no space or of another size, and indices given twice. */
function checked<T>(type: z.ZodType<T>, body: unknown): T {
  const parsed = type.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Refusal(400, `Format error in JSON body: ${parsed.error.issues[0]?.message}`);
}

/** A stand-in for Qdrant's REST API, for tests: collections, upsert, count and retrieve, with faults on demand. */
export class QdrantFixture {
  readonly collections = new Map<string, Collection>();
  /** Faults of the requests to come, in order; undefined lets one pass. */
  readonly faults: (Fault | undefined)[] = [];
  /** Method and path of every request. */
  readonly requests: string[] = [];
  /** `api-key` of every request. */
  readonly keys: (string | undefined)[] = [];
  /** Numbers of points of the upserts that had their effect. */
  readonly upserts: number[] = [];
  /** Wait before an upsert has its effect, in milliseconds. */
  upsertMs = 0;
  /** Key that requests must have. */
  requiredKey: string | undefined;
  /** Where it listens, or last did. */
  url = "";
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    this.keys.push(request.headers["api-key"] as string | undefined);
    const fault = this.faults.shift();
    if (fault?.kind === "cut" && fault.at === "body") {
      request.once("data", () => request.socket.destroy());
      request.once("end", () => request.socket.destroy());
      return;
    }
    const body = request.method === "GET" || request.method === "DELETE" ? undefined : await json(request);
    if (fault?.kind === "status") {
      const { retryAfter } = fault;
      const value = typeof retryAfter === "function" ? retryAfter() : retryAfter;
      const headers = value === undefined ? {} : { "retry-after": value };
      response.writeHead(fault.status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify({ status: { error: `made up ${fault.status}` } }));
      return;
    }
    if (fault?.kind === "cut" && fault.at === "before") return void request.socket.destroy();
    if (fault?.kind === "silence" && !fault.applied) return;
    const [status, answer] = await this.#answer(request, body);
    if (fault?.kind === "silence") return;
    if (fault?.kind === "cut" && fault.at === "after") return void request.socket.destroy();
    const isUpsert = request.method === "PUT" && request.url?.includes("/points");
    const result = fault?.kind === "acknowledged" && isUpsert ? { operation_id: 1, status: "acknowledged" } : answer;
    const text = JSON.stringify(status < 300 ? { result, status: "ok", time: 0 } : { status: answer, time: 0 });
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
    if (fault?.kind === "cut") {
      response.write(text.slice(0, text.length / 2), () => request.socket.destroy());
      return;
    }
    response.end(text);
  }

  async #answer(request: IncomingMessage, body: unknown): Promise<[status: number, answer: unknown]> {
    try {
      if (this.requiredKey !== undefined && request.headers["api-key"] !== this.requiredKey)
        throw new Refusal(401, "Must provide an API key or an Authorization bearer token");
      return [200, await this.#operate(request.method ?? "", request.url ?? "", body)];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [error.status, { error: error.message }];
    }
  }

  async #operate(method: string, target: string, body: unknown): Promise<unknown> {
    const { pathname, searchParams } = new URL(target, "http://qdrant");
    const [, root, encoded = "", ...rest] = pathname.split("/");
    const name = decodeURIComponent(encoded);
    if (root !== "collections" || name === "") throw new Refusal(404, "no such operation");
    const operation = `${method} ${rest.join("/")}`.trim();
    if (operation === "PUT") {
      if (this.collections.has(name)) throw new Refusal(409, `Wrong input: Collection \`${name}\` already exists!`);
      this.collections.set(name, { params: checked(schema, body), points: new Map() });
      return true;
    }
    if (operation === "DELETE") return this.collections.delete(name);
    const collection = this.collections.get(name);
    if (collection === undefined) throw new Refusal(404, `Not found: Collection \`${name}\` doesn't exist!`);
    switch (operation) {
      case "GET":
        return { status: "green", config: { params: collection.params } };
      case "PUT points":
        if (searchParams.get("wait") !== "true") throw new Refusal(400, "the upload must wait");
        await delay(this.upsertMs);
        return this.#upsert(collection, checked(upsert, body).points);
      case "POST points/count":
        checked(count, body);
        return { count: collection.points.size };
      case "POST points":
        return checked(retrieve, body).ids.flatMap((id) => collection.points.get(id) ?? []);
      default:
        throw new Refusal(404, "no such operation");
    }
  }

  #upsert({ params, points: stored }: Collection, points: StoredPoint[]): unknown {
    for (const { vector } of points) {
      for (const [name, values] of Object.entries(vector)) {
        const dense = params.vectors[name];
        if (Array.isArray(values) ? dense === undefined : params.sparse_vectors?.[name] === undefined)
          throw new Refusal(400, `Wrong input: Not existing vector name error: ${name}`);
        if (Array.isArray(values) && values.length !== dense?.size)
          throw new Refusal(
            400,
            `Wrong input: Vector dimension error: expected dim: ${dense?.size}, got ${values.length}`,
          );
      }
    }
    for (const one of points) stored.set(one.id, one);
    this.upserts.push(points.length);
    return { operation_id: this.upserts.length, status: "completed" };
  }
}
