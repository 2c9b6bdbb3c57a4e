import { parseRetryAfter } from "@ragline/http";
import { type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { byteSize } from "./byte-size.js";
import { HubError } from "./hub-error.js";
import { defaultEndpoint } from "./hub-settings.js";
import { networkProblem } from "./network-problem.js";
import { PassingError } from "./passing-error.js";

/** How {@link HubClient} reaches the hub. */
export interface HubClientOptions {
  /** Address of the hub, or of a mirror. @default https://huggingface.co */
  readonly endpoint?: string;
  /** Sent to the endpoint alone, and only where nobody can read along. @default none */
  readonly token?: string | undefined;
  /** Milliseconds without a byte after which a connection counts as dead. @default 30000 */
  readonly idleTimeoutMs?: number;
}

/** What the hub says of a file. */
export interface RemoteFile {
  readonly repository: string;
  readonly name: string;
  /** The commit that the revision stands for. */
  readonly commit: string;
  /** Name of the content: the SHA-256 of large files, the Git hash of others. */
  readonly etag: string;
  readonly bytes: number;
}

/** A part of a file, as it comes. */
export interface RemotePart {
  /** Where the first byte of the body belongs. */
  readonly start: number;
  /** Whether the hub sends the file from its beginning to its end, whatever was asked for. */
  readonly isWhole: boolean;
  readonly body: AsyncIterable<Buffer>;
  /** Ends the transfer. */
  readonly close: () => void;
}

interface Answer {
  readonly url: URL;
  readonly response: Dispatcher.ResponseData;
  /** Headers of all answers on the way within the endpoint; later ones win. */
  readonly told: Map<string, string>;
}

const mostRedirects = 8;
// No single file of a model is larger; what claims to be is a mistake or an attack.
const mostFileBytes = 500e9;
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524]);
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const isLoopback = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);

/** Without its query, which may hold a signature. */
const shown = (url: URL): string => `${url.origin}${url.pathname}`;

/** A header's value; several of a name count as the last. */
function header(headers: Dispatcher.ResponseData["headers"], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.at(-1) : value;
}

/** Speaks with a hub over HTTP: what a file is, and its bytes. */
export class HubClient {
  readonly #endpoint: URL;
  readonly #token: string | undefined;
  readonly #dispatcher: Dispatcher;
  #hasAnswered = false;

  /** @throws HubError when the endpoint is no web address. */
  constructor({ endpoint = defaultEndpoint, token, idleTimeoutMs = 30_000 }: HubClientOptions = {}) {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    if (!url || !["http:", "https:"].includes(url.protocol))
      throw new HubError("refused", `"${endpoint}" is no address of a hub; HF_ENDPOINT is something like https://host`);
    this.#endpoint = url;
    this.#token = url.protocol === "https:" || isLoopback(url) ? token : undefined;
    // Proxies as the environment names them: HTTPS_PROXY, HTTP_PROXY, NO_PROXY.
    this.#dispatcher = new EnvHttpProxyAgent({
      connect: { timeout: Math.min(10_000, idleTimeoutMs) },
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
    });
  }

  /**
   * What the hub says of a file, without its bytes.
   * @throws HubError for what will not change, PassingError for what may.
   */
  async describe(repository: string, revision: string, name: string, signal?: AbortSignal): Promise<RemoteFile> {
    const what = `${repository}: ${name}`;
    const url = this.#fileUrl(repository, revision, name);
    const { response, told } = await this.#send("HEAD", url, {}, signal);
    response.body.on("error", () => undefined).resume();
    this.#check(response, what, redirectStatuses.has(response.statusCode) ? told : undefined);
    const commit = told.get("x-repo-commit");
    if (commit === undefined) {
      const page = told.get("content-type")?.includes("html") ? "a web page" : "something else";
      throw new HubError(
        "refused",
        `${what}: ${shown(url)} answered with ${page}, not as a hub does; check HF_ENDPOINT, and whether a login or a proxy is in the way`,
      );
    }
    if (!/^[0-9a-f]{40}$/.test(commit)) throw new HubError("refused", `${what}: the hub named "${commit}" as commit`);
    const etag = (told.get("x-linked-etag") ?? told.get("etag") ?? "").replace(/^W\//, "").replaceAll('"', "");
    if (!/^[\w-]{1,128}$/.test(etag)) throw new HubError("refused", `${what}: the hub named "${etag}" as its content`);
    const size = told.get("x-linked-size") ?? told.get("content-length");
    const bytes = Number(size ?? Number.NaN);
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      throw new HubError("refused", `${what}: the hub did not say how large it is`);
    if (bytes > mostFileBytes)
      throw new HubError(
        "refused",
        `${what} has ${byteSize(bytes)}; no file of more than ${byteSize(mostFileBytes)} is fetched`,
      );
    return { repository, name, commit, etag, bytes };
  }

  /**
   * Opens a part of a file, from `start` to `end`, the last included. A hub that does not know ranges sends the whole.
   * @throws HubError for what will not change, PassingError for what may.
   */
  async openPart(file: RemoteFile, start: number, end: number, signal?: AbortSignal): Promise<RemotePart> {
    const { repository, name, commit, bytes } = file;
    const what = `${repository}: ${name}`;
    const { url, response, told } = await this.#send(
      "GET",
      this.#fileUrl(repository, commit, name),
      { range: `bytes=${start}-${end}` },
      signal,
      true,
    );
    const { body } = response;
    // An error of a body that nobody reads any more must not end the process.
    body.on("error", () => undefined);
    try {
      // Addresses of the storage behind the hub are signed for a while only: the next try gets a new one.
      if (url.origin !== this.#endpoint.origin && response.statusCode >= 400)
        throw new PassingError(`${url.host} answered ${response.statusCode}`);
      this.#check(response, what);
      if (told.get("content-type")?.includes("html"))
        throw new HubError(
          "refused",
          `${what}: a web page came instead of the file; is a login or a proxy in the way?`,
        );
      if (response.statusCode === 206) {
        const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(told.get("content-range") ?? "") ?? [];
        if (Number(from) !== start || Number(to) !== end || Number(total) !== bytes)
          throw new PassingError(`another part came than was asked for (${told.get("content-range")})`);
        return { start, isWhole: false, body, close: () => body.destroy() };
      }
      const length = told.get("content-length");
      if (length !== undefined && Number(length) !== bytes)
        throw new PassingError(`a file of ${length} bytes came, not one of ${bytes}`);
      return { start: 0, isWhole: true, body, close: () => body.destroy() };
    } catch (error) {
      body.destroy();
      throw error;
    }
  }

  /**
   * The commit that a revision stands for, the names of all files there, and the licence as its authors named it.
   * @throws HubError for what will not change, PassingError for what may.
   */
  async listFiles(
    repository: string,
    revision: string,
    signal?: AbortSignal,
  ): Promise<{ commit: string; names: string[]; license?: string }> {
    const url = new URL(`${this.#root}/api/models/${repository}/revision/${encodeURIComponent(revision)}`);
    const { response } = await this.#send("GET", url, {}, signal, true);
    response.body.on("error", () => undefined);
    try {
      this.#check(response, repository);
      const text = await readText(response.body, 32e6);
      const { sha, siblings, tags } = JSON.parse(text) as { sha?: unknown; siblings?: unknown; tags?: unknown };
      if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) throw new SyntaxError();
      const names = siblings.map((sibling: { rfilename?: unknown } | null) => sibling?.rfilename);
      const licenses = (Array.isArray(tags) ? tags : []).flatMap(
        (tag) => /^license:(.+)$/.exec(String(tag))?.[1] ?? [],
      );
      return {
        commit: sha,
        names: names.filter((name) => typeof name === "string"),
        ...(licenses[0] ? { license: licenses[0] } : {}),
      };
    } catch (error) {
      response.body.destroy();
      if (error instanceof SyntaxError)
        throw new HubError("refused", `${repository}: ${shown(url)} did not answer as a hub does; check HF_ENDPOINT`);
      throw error;
    }
  }

  /** Closes all connections. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  get #root(): string {
    return this.#endpoint.href.replace(/\/+$/, "");
  }

  #fileUrl(repository: string, revision: string, name: string): URL {
    const path = name.split("/").map(encodeURIComponent).join("/");
    return new URL(`${this.#root}/${repository}/resolve/${encodeURIComponent(revision)}/${path}`);
  }

  /** Sends a request and follows where it leads: within the endpoint always, to another host when asked to. */
  async #send(
    method: "GET" | "HEAD",
    first: URL,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
    followsAway = false,
  ): Promise<Answer> {
    const told = new Map<string, string>();
    let url = first;
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const isHub = url.origin === this.#endpoint.origin;
      const response = await this.#attempt(
        method,
        url,
        isHub ? { ...headers, ...this.#authorization } : headers,
        signal,
      );
      for (const name of Object.keys(response.headers)) {
        const value = header(response.headers, name);
        if (value !== undefined) told.set(name, value);
      }
      const location = header(response.headers, "location");
      if (!redirectStatuses.has(response.statusCode) || location === undefined) return { url, response, told };
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (next?.origin !== this.#endpoint.origin && !followsAway) return { url, response, told };
      response.body.on("error", () => undefined).resume();
      if (!next || !["http:", "https:"].includes(next.protocol))
        throw new HubError("refused", `${shown(url)} leads to an address that is none`);
      if (url.protocol === "https:" && next.protocol === "http:" && !isLoopback(next))
        throw new HubError("refused", `${shown(url)} leads to ${next.host} without encryption`);
      // What an earlier answer said of its own body is not said of the next one's.
      for (const name of ["content-length", "content-type", "location"]) told.delete(name);
      url = next;
    }
    throw new HubError("refused", `${shown(first)} leads in circles`);
  }

  get #authorization(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }

  async #attempt(
    method: "GET" | "HEAD",
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    try {
      const response = await request(url, {
        method,
        // Compressed, a file has another size and cannot be taken in parts.
        headers: { "accept-encoding": "identity", "user-agent": "ragline", ...headers },
        dispatcher: this.#dispatcher,
        ...(signal ? { signal } : {}),
      });
      this.#hasAnswered = true;
      return response;
    } catch (error) {
      signal?.throwIfAborted();
      throw new PassingError(`${url.host} ${networkProblem(error)}`, { cause: error, isUnreached: !this.#hasAnswered });
    }
  }

  /** @param redirected what was told, where an answer that leads away is an answer. */
  #check({ statusCode, headers }: Dispatcher.ResponseData, what: string, redirected?: Map<string, string>): void {
    if (statusCode === 200 || statusCode === 206 || redirected) return;
    const code = header(headers, "x-error-code");
    if (passingStatuses.has(statusCode)) {
      const waitMs = parseRetryAfter(header(headers, "retry-after") ?? "");
      throw new PassingError(`it answered ${statusCode}`, waitMs === undefined ? {} : { waitMs });
    }
    const own = this.#token === undefined ? "HF_TOKEN is not set" : "HF_TOKEN was not accepted";
    if (code === "GatedRepo" || statusCode === 403)
      throw new HubError(
        "gated",
        `${what}: the hub refuses it (${statusCode}): its authors want their terms accepted on the model's page first, by the user that HF_TOKEN belongs to (${own})`,
      );
    if (code === "EntryNotFound") throw new HubError("not_found", `${what}: the repository has no such file`);
    if (code === "RevisionNotFound") throw new HubError("not_found", `${what}: the repository has no such revision`);
    if (statusCode === 401)
      throw new HubError("unauthorized", `${what}: no such repository, or a private one (${own})`);
    if (statusCode === 404 || statusCode === 410)
      throw new HubError("not_found", `${what}: the hub has no such repository, revision or file`);
    throw new HubError("refused", `${what}: the hub answered ${statusCode}`);
  }
}

async function readText(body: AsyncIterable<Buffer>, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new SyntaxError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
