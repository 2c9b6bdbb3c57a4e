import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Something that goes wrong with one request. */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly headers?: Record<string, string> }
  /** The connection ends after so many bytes of the body. */
  | { readonly kind: "cut"; readonly after: number }
  | { readonly kind: "reset" }
  /** Nothing comes any more after so many bytes. */
  | { readonly kind: "stall"; readonly after: number }
  | { readonly kind: "slow" }
  | { readonly kind: "wrong-bytes" }
  /** More or fewer bytes come than there are. */
  | { readonly kind: "wrong-length"; readonly by: number }
  | { readonly kind: "ignores-range" }
  | { readonly kind: "wrong-range" }
  /** A login page, with status 200. */
  | { readonly kind: "web-page" };

/** A repository as the hub has it. */
export interface HubRepository {
  commit: string;
  /** Contents by name. */
  readonly files: Record<string, Buffer | string>;
  /** Names of files that are kept on another host, as large ones are. @default those that end in .onnx or .onnx_data */
  readonly isLarge?: (name: string) => boolean;
  /** Token that is needed; without it the answer is 401, as for a repository that does not exist. */
  readonly token?: string;
  readonly license?: string;
  /** Whether terms have to be accepted: 403 for everybody. */
  readonly gated?: boolean;
}

/** What was asked for. */
export interface HubRequest {
  readonly host: "hub" | "storage";
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** The Git hash of a content, which the hub names small files by. */
export function gitSha1(content: Buffer): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

/** The SHA-256 of a content. */
export function sha256(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A hub on this machine that answers as huggingface.co does, with large files on a second host, and fails when told to. */
export class LoopbackHub {
  readonly repositories = new Map<string, HubRepository>();
  /** Everything that was asked for, in order. */
  readonly requests: HubRequest[] = [];
  /** Faults for the requests to come, one each; undefined for one that goes well. */
  readonly faults: (Fault | undefined)[] = [];
  /** Headers that the answer to HEAD has instead of its own; null leaves one out. */
  headOverrides: Record<string, string | null> = {};
  /** Where large files are said to be. @default the storage host */
  storageUrl: string | undefined;
  endpoint = "";
  #storage = "";
  readonly #servers: Server[] = [];

  /** Starts both hosts on free ports. */
  static async start(repositories: Record<string, HubRepository> = {}): Promise<LoopbackHub> {
    const hub = new LoopbackHub();
    for (const [id, repository] of Object.entries(repositories)) hub.repositories.set(id, repository);
    hub.endpoint = await hub.#listen("hub", (request, response) => hub.#answer(request, response));
    hub.#storage = await hub.#listen("storage", (request, response) => hub.#store(request, response));
    return hub;
  }

  /** The requests for bytes of a file. */
  downloads(name: string): HubRequest[] {
    return this.requests.filter(({ method, path, host }) => {
      const pathname = path.split("?")[0] ?? "";
      const [, owner, model] = pathname.split("/");
      if (method !== "GET" || !pathname.endsWith(`/${name}`)) return false;
      return host === "storage" || !isLarge(this.repositories.get(`${owner}/${model}`), name);
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  }

  async #listen(
    host: HubRequest["host"],
    answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): Promise<string> {
    const server = createServer((request, response) => {
      const path = request.url ?? "";
      this.requests.push({ host, method: request.method ?? "", path, headers: request.headers });
      answer(request, response).catch(() => response.destroy());
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? "", "http://hub").pathname);
    const api = /^\/api\/models\/(.+)\/revision\/(.+)$/.exec(path);
    const [, id = "", revision = "", name = ""] = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? [];
    const repository = this.repositories.get(api?.[1] ?? id);
    const { authorization } = request.headers;
    if (!repository || (repository.token !== undefined && authorization !== `Bearer ${repository.token}`))
      return refuse(response, 401, "RepoNotFound");
    if (repository.gated) return refuse(response, 403, "GatedRepo");
    if (!["main", repository.commit].includes(api?.[2] ?? revision)) return refuse(response, 404, "RevisionNotFound");
    if (api) {
      const siblings = Object.keys(repository.files).map((rfilename) => ({ rfilename }));
      const tags = repository.license ? [`license:${repository.license}`] : [];
      response.end(JSON.stringify({ id: api[1], sha: repository.commit, siblings, tags }));
      return;
    }
    const content = repository.files[name];
    if (content === undefined) {
      response.setHeader("x-repo-commit", repository.commit);
      return refuse(response, 404, "EntryNotFound");
    }
    const bytes = Buffer.from(content);
    response.setHeader("x-repo-commit", repository.commit);
    if (!isLarge(repository, name)) {
      response.setHeader("etag", `"${gitSha1(bytes)}"`);
      return this.#send(request, response, bytes);
    }
    response.setHeader("x-linked-size", bytes.length);
    response.setHeader("x-linked-etag", `"${sha256(bytes)}"`);
    const away = `${this.storageUrl ?? this.#storage}/${id}/${name}?X-Signature=secret`;
    const fault = request.method === "HEAD" ? this.faults.shift() : undefined;
    if (fault && (await fail(fault, response))) return;
    this.#override(request, response);
    response.writeHead(302, { location: away, "content-length": 0 }).end();
  }

  async #store(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [owner, model, ...rest] = decodeURIComponent(new URL(request.url ?? "", "http://storage").pathname)
      .slice(1)
      .split("/");
    const content = this.repositories.get(`${owner}/${model}`)?.files[rest.join("/")];
    if (content === undefined) return refuse(response, 404, "");
    return this.#send(request, response, Buffer.from(content));
  }

  /** Sends a file or the part that was asked for, with the next fault. */
  async #send(request: IncomingMessage, response: ServerResponse, content: Buffer): Promise<void> {
    const fault = this.faults.shift();
    if (fault && (await fail(fault, response))) return;
    const range = fault?.kind === "ignores-range" ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    let body = content;
    if (range && content.length > 0) {
      const start = Number(range[1]);
      const end = range[2] ? Math.min(Number(range[2]), content.length - 1) : content.length - 1;
      const shift = fault?.kind === "wrong-range" ? 1 : 0;
      body = content.subarray(start, end + 1);
      response.statusCode = 206;
      response.setHeader("content-range", `bytes ${start + shift}-${end + shift}/${content.length}`);
    }
    if (fault?.kind === "wrong-bytes" && body.length > 0) {
      body = Buffer.from(body);
      body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
    }
    if (fault?.kind === "wrong-length")
      body =
        fault.by < 0
          ? body.subarray(0, Math.max(0, body.length + fault.by))
          : Buffer.concat([body, Buffer.alloc(fault.by)]);
    response.setHeader("accept-ranges", "bytes");
    response.setHeader("content-length", body.length);
    response.setHeader("content-type", "application/octet-stream");
    this.#override(request, response);
    if (request.method === "HEAD") {
      response.end();
    } else if (fault?.kind === "cut" || fault?.kind === "stall") {
      const sent = body.subarray(0, Math.min(body.length - 1, fault.after));
      if (body.length === 0) response.end();
      else response.write(sent, () => fault.kind === "cut" && response.destroy());
      if (sent.length === 0) response.flushHeaders();
    } else if (fault?.kind === "slow") {
      for (let at = 0; at < body.length; at += 64) {
        response.write(body.subarray(at, at + 64));
        await delay(1);
      }
      response.end();
    } else {
      response.end(body);
    }
  }

  #override(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== "HEAD") return;
    for (const [name, value] of Object.entries(this.headOverrides))
      if (value === null) response.removeHeader(name);
      else response.setHeader(name, value);
  }
}

function isLarge(repository: HubRepository | undefined, name: string): boolean {
  return repository?.isLarge?.(name) ?? /\.onnx(_data)?$/.test(name);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "x-error-code": code, "content-length": 0 }).end();
}

/** Answers with a fault that needs no file. Returns false for the others. */
async function fail(fault: Fault, response: ServerResponse): Promise<boolean> {
  if (fault.kind === "status") response.writeHead(fault.status, { "content-length": 0, ...fault.headers }).end();
  else if (fault.kind === "reset") response.destroy();
  else if (fault.kind === "web-page") {
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>Please log in</html>");
  } else return false;
  return true;
}
