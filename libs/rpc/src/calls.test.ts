import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Metadata, status } from "@grpc/grpc-js";
import { expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "./client.js";
import {
  collect,
  type EchoHandlers,
  EchoService,
  echoHandlers,
  heard,
  numbered,
  say,
  serveEcho,
} from "./echo-service.fixture.js";
import type { CallContext } from "./handlers.js";
import type { ImplementationOptions } from "./implementation.js";
import { RaglineError } from "./ragline-error.js";

async function echo(replaced: Partial<EchoHandlers> = {}, options: ImplementationOptions = {}) {
  const served = await serveEcho(echoHandlers(replaced), options);
  onTestFinished(served.close);
  return served;
}

type Served = Awaited<ReturnType<typeof echo>>["client"];

/** Each kind of call, from texts to texts. */
const kinds: Record<string, (client: Served) => Promise<string[]>> = {
  unary: async (client) => [heard(await client.single(say("3")))],
  "client streaming": async (client) => [heard(await client.gather(numbered(3)))],
  "server streaming": (client) => collect(client.spread(say("3"))),
  "bidi streaming": (client) => collect(client.talk(numbered(3))),
};

test.each([
  ["unary", ["3"]],
  ["client streaming", ["0 1 2"]],
  ["server streaming", ["0", "1", "2"]],
  ["bidi streaming", ["0", "1", "2"]],
])("%s answers", async (kind, expected) => {
  const { client } = await echo();
  expect(await kinds[kind]?.(client)).toEqual(expected);
});

const failing = (error: unknown): EchoHandlers => ({
  single: async () => {
    throw error;
  },
  gather: async () => {
    throw error;
  },
  async *spread() {
    yield say("before");
    throw error;
  },
  async *talk(requests) {
    for await (const request of requests) {
      yield request;
      throw error;
    }
  },
});

test.each(Object.keys(kinds))(
  "%s brings the server's error with its details, and tells the server's log",
  async (kind) => {
    const thrown = new RaglineError("INVALID_ARGUMENT", "MODEL_UNKNOWN", 'no model "é"; known: a, b', {
      details: { model: "é" },
      violations: [{ field: "open.model", description: "unknown" }],
    });
    const onError = vi.fn<NonNullable<ImplementationOptions["onError"]>>();
    const { client } = await echo(failing(thrown), { onError });
    const caught = await kinds[kind]?.(client).catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(RaglineError);
    expect(caught).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: "MODEL_UNKNOWN",
      message: 'no model "é"; known: a, b',
      details: { model: "é" },
      violations: [{ field: "open.model", description: "unknown" }],
    });
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      thrown,
      expect.objectContaining({ method: expect.stringContaining("/") }),
    );
  },
);

test.each(Object.keys(kinds))("%s says no more of an unknown error than that it is internal", async (kind) => {
  const onError = vi.fn<NonNullable<ImplementationOptions["onError"]>>();
  const secret = new TypeError("the secret text");
  const { client } = await echo(failing(secret), { onError });
  const caught = await kinds[kind]?.(client).catch((error: unknown) => error);
  expect(caught).toMatchObject({ code: status.INTERNAL, reason: "INTERNAL", message: "internal error" });
  expect(onError).toHaveBeenCalledExactlyOnceWith(secret, expect.anything());
});

test("a reply that cannot be encoded is an internal error that the server hears of", async () => {
  const onError = vi.fn<NonNullable<ImplementationOptions["onError"]>>();
  const { client } = await echo({ single: async () => ({ value: 7 as never }) }, { onError });
  await expect(client.single(say("x"))).rejects.toMatchObject({ message: "internal error" });
  expect(onError).toHaveBeenCalledOnce();
});

test.each(Object.keys(kinds))("%s to nobody names the address", async (kind) => {
  const client = createClient(EchoService, "unix:/nowhere/echo.sock");
  onTestFinished(() => client.close());
  const caught = await kinds[kind]?.(client).catch((error: unknown) => error);
  expect(caught).toMatchObject({ code: status.UNAVAILABLE, reason: "NOT_REACHABLE" });
  expect((caught as Error).message).toMatch(
    /^echo service at unix:\/nowhere\/echo\.sock is not reachable: .*; is it running\?$/,
  );
});

/** A handler of each kind that hangs until its signal aborts; tells when it was entered, and why it was left. */
function hanging(): { handlers: EchoHandlers; entered: Promise<void>; aborted: Promise<unknown> } {
  let enter: () => void = () => undefined;
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  let tell: (reason: unknown) => void = () => undefined;
  const aborted = new Promise<unknown>((resolve) => {
    tell = resolve;
  });
  const hang = async ({ signal }: CallContext) => {
    enter();
    if (!signal.aborted) await once(signal, "abort");
    tell(signal.reason);
    throw signal.reason;
  };
  const handlers: EchoHandlers = {
    single: (_, context) => hang(context),
    gather: (_, context) => hang(context),
    async *spread(_, context) {
      yield say("first");
      await hang(context);
    },
    async *talk(_, context) {
      yield say("first");
      await hang(context);
    },
  };
  return { handlers, entered, aborted };
}

const hangingCalls: Record<
  string,
  (client: Served, options: { signal?: AbortSignal; deadlineMs?: number }) => Promise<unknown>
> = {
  unary: (client, options) => client.single(say("x"), options),
  "client streaming": (client, options) => client.gather(numbered(1), options),
  "server streaming": (client, options) => collect(client.spread(say("1"), options)),
  "bidi streaming": (client, options) => collect(client.talk(numbered(1), options)),
};

test.each(Object.keys(hangingCalls))("%s: the caller's signal reaches the handler's", async (kind) => {
  const { handlers, entered, aborted } = hanging();
  const onError = vi.fn<NonNullable<ImplementationOptions["onError"]>>();
  const { client } = await echo(handlers, { onError });
  const abort = new AbortController();
  void entered.then(() => abort.abort("enough"));
  await expect(hangingCalls[kind]?.(client, { signal: abort.signal })).rejects.toMatchObject({
    name: "RaglineError",
    code: status.CANCELLED,
    cause: "enough",
  });
  expect(await aborted).toMatchObject({ code: status.CANCELLED });
  expect(onError).not.toHaveBeenCalled();
});

test.each(Object.keys(hangingCalls))("%s: a deadline ends the call on both sides", async (kind) => {
  const { handlers, aborted } = hanging();
  const { client } = await echo(handlers);
  await expect(hangingCalls[kind]?.(client, { deadlineMs: 100 })).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
    message: expect.stringMatching(/^echo service at .* did not finish within 100 ms$/),
  });
  expect(await aborted).toBeInstanceOf(RaglineError);
});

test("a signal that has aborted before the call cancels it", async () => {
  const { client } = await echo();
  const signal = AbortSignal.abort();
  await expect(client.single(say("x"), { signal })).rejects.toMatchObject({ code: status.CANCELLED });
  await expect(collect(client.talk(numbered(3), { signal }))).rejects.toMatchObject({ code: status.CANCELLED });
});

test("leaving a loop over replies cancels the call and closes both generators", async () => {
  const closed: string[] = [];
  const { client } = await echo({
    async *talk(requests) {
      try {
        for await (const request of requests) yield request;
      } finally {
        closed.push("handler");
      }
    },
  });
  const requests = async function* () {
    try {
      yield* numbered(1_000_000);
    } finally {
      closed.push("requests");
    }
  };
  for await (const reply of client.talk(requests())) if (heard(reply) === "5") break;
  await expect.poll(() => closed.sort()).toEqual(["handler", "requests"]);
});

test("replies that are closed before the first was read cancel the call", async () => {
  const { handlers, entered, aborted } = hanging();
  const { client } = await echo(handlers);
  const replies = client.spread(say("x"));
  await entered;
  await replies.return?.();
  expect(await aborted).toMatchObject({ code: status.CANCELLED });
});

test.each(["client streaming", "bidi streaming"])(
  "%s: what the requests throw is what the caller catches",
  async (kind) => {
    const { client } = await echo();
    const error = new Error("the file ended early");
    const requests = async function* () {
      yield* numbered(3);
      throw error;
    };
    const call = kind === "client streaming" ? client.gather(requests()) : collect(client.talk(requests()));
    await expect(call).rejects.toBe(error);
  },
);

test("a handler that answers before its requests end stops them", async () => {
  const { client } = await echo({
    async *talk(requests) {
      for await (const request of requests) {
        yield request;
        return;
      }
    },
  });
  let stopped = false;
  const requests = async function* () {
    try {
      yield* numbered(1_000_000);
    } finally {
      stopped = true;
    }
  };
  expect(await collect(client.talk(requests()))).toEqual(["0"]);
  await expect.poll(() => stopped).toBe(true);
});

test("a signal does not abort once its call has ended well", async () => {
  let signal: AbortSignal | undefined;
  const { client } = await echo({
    single: async (request, context) => {
      signal = context.signal;
      return request;
    },
  });
  await client.single(say("x"));
  await sleep(50);
  expect(signal?.aborted).toBe(false);
});

test("metadata, deadline and peer reach the handler", async () => {
  let seen: CallContext | undefined;
  const { client } = await echo({
    single: async (request, context) => {
      seen = context;
      return request;
    },
  });
  const metadata = new Metadata();
  metadata.set("x-run", "7");
  await client.single(say("x"), { metadata, deadlineMs: 600_000 });
  expect(seen?.metadata.get("x-run")).toEqual(["7"]);
  expect((seen?.deadline?.getTime() ?? 0) - Date.now()).toBeGreaterThan(300_000);
  expect(seen?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(metadata.get("traceparent")).toEqual([]);
});

test("a message of 20 MiB passes, one above 64 MiB is refused with its size", async () => {
  const { client } = await echo();
  const large = await client.single({ value: new Uint8Array(20 * 1024 * 1024) });
  expect(large.value.byteLength).toBe(20 * 1024 * 1024);
  await expect(client.single({ value: new Uint8Array(65 * 1024 * 1024) })).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    message: expect.stringMatching(/larger than \d+/),
  });
});

test("a server killed in mid-stream is an error that names it", async () => {
  const fixture = new URL("../dist/echo-service.fixture.js", import.meta.url);
  const script = `import { serveEcho, echoHandlers, say } from ${JSON.stringify(pathToFileURL(fixture.pathname).href)};
    const endless = async function* () { for (;;) { yield say("x"); await new Promise((r) => setTimeout(r, 5)); } };
    const { address } = await serveEcho(echoHandlers({ spread: endless }));
    process.stdout.write(address);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [address] = (await once(child.stdout, "data")) as [Buffer];
  const client = createClient(EchoService, String(address), { name: "dense service" });
  onTestFinished(() => client.close());
  const read = async () => {
    let count = 0;
    for await (const _ of client.spread(say("x"))) if (++count === 3) child.kill("SIGKILL");
  };
  await expect(read()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    reason: "CONNECTION_LOST",
    message: expect.stringMatching(/^dense service at 127\.0\.0\.1:\d+ went away before it had answered: /),
  });
});
