import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { echoHandlers, serveEcho } from "./echo-service.fixture.js";

const kib = 4;
const payload = new Uint8Array(kib * 1024);
const total = 10_000;

test("10,000 messages pass in order", async () => {
  const { client, close } = await serveEcho(echoHandlers());
  onTestFinished(close);
  const requests = async function* () {
    for (let i = 0; i < total; i += 1) yield { value: Buffer.from(String(i)) };
  };
  let next = 0;
  for await (const { value } of client.talk(requests())) {
    expect(Number(Buffer.from(value))).toBe(next);
    next += 1;
  }
  expect(next).toBe(total);
});

test("a slow handler holds the caller's requests back", async () => {
  let made = 0;
  let taken = 0;
  let widest = 0;
  const { client, close } = await serveEcho(
    echoHandlers({
      async *talk(requests) {
        for await (const request of requests) {
          taken += 1;
          widest = Math.max(widest, made - taken);
          if (taken % 100 === 0) await sleep(1);
          if (taken === 1) await sleep(300); // long enough for a caller without bounds to make them all
          yield { value: request.value.subarray(0, 1) };
        }
      },
    }),
  );
  onTestFinished(close);
  const requests = async function* () {
    for (; made < total; made += 1) yield { value: payload };
  };
  let replies = 0;
  for await (const _ of client.talk(requests())) replies += 1;
  expect(replies).toBe(total);
  expect(widest * kib).toBeLessThan(1024); // KiB on the way, of 40,000
});

test("a slow caller holds the handler's replies back", async () => {
  let made = 0;
  let taken = 0;
  let widest = 0;
  const { client, close } = await serveEcho(
    echoHandlers({
      async *spread() {
        for (; made < total; made += 1) yield { value: payload };
      },
    }),
  );
  onTestFinished(close);
  for await (const _ of client.spread({})) {
    taken += 1;
    if (taken === 1) await sleep(300);
    if (taken % 100 === 0) await sleep(1);
    widest = Math.max(widest, made - taken);
  }
  expect(taken).toBe(total);
  expect(widest * kib).toBeLessThan(1024);
});
