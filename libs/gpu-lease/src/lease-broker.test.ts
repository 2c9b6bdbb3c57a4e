import { status } from "@ragline/rpc";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Lease, LeaseRequest } from "./lease.js";
import { LeaseBroker } from "./lease-broker.js";
import { defaultCapBytes } from "./lease-device.js";

const cpu = { name: "cpu:0", kind: "cpu" } as const;
const ask = (bytes: number, more: Partial<LeaseRequest> = {}): LeaseRequest => ({
  stage: "dense",
  model: "m",
  bytes,
  ...more,
});

/** Lets promises settle that can. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Asks for leases one after the other, and notes the order in which they are granted. */
function line(broker: LeaseBroker, sizes: readonly number[]) {
  const granted: number[] = [];
  const leases: Lease[] = [];
  for (const [index, bytes] of sizes.entries()) {
    void broker.acquire(ask(bytes)).then((lease) => {
      granted.push(index);
      leases[index] = lease;
    });
  }
  return { granted, leases };
}

test("exclusive: one lease at a time, first come first served", async () => {
  const broker = new LeaseBroker({ devices: [cpu] });
  const { granted, leases } = line(broker, [1, 1, 1, 1]);
  for (const expected of [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]) {
    await settle();
    expect(granted).toEqual(expected);
    leases[granted.length - 1]?.release();
  }
});

test("shared: as many as fit under the cap, and nobody overtakes", async () => {
  const broker = new LeaseBroker({ devices: [{ ...cpu, capBytes: 10 }], exclusive: false });
  const { granted, leases } = line(broker, [4, 4, 8, 1]);
  await settle();
  expect(granted).toEqual([0, 1]); // 1 would fit, but 8 came first
  leases[0]?.release();
  await settle();
  expect(granted).toEqual([0, 1]);
  leases[1]?.release();
  await settle();
  expect(granted).toEqual([0, 1, 2, 3]);
});

test("leases spread over free devices", async () => {
  const broker = new LeaseBroker({ devices: [cpu, { name: "cpu:1", kind: "cpu" }] });
  const first = await broker.acquire(ask(1));
  const second = await broker.acquire(ask(1));
  expect([first.device, second.device]).toEqual(["cpu:0", "cpu:1"]);
});

test("where models share devices, the next takes the emptiest", async () => {
  const devices = [0, 1, 2].map((i) => ({ name: `cpu:${i}`, kind: "cpu" }) as const);
  const broker = new LeaseBroker({ devices, exclusive: false });
  const leases = await Promise.all([1, 2, 3, 4].map(() => broker.acquire(ask(1))));
  expect(leases.map(({ device }) => device)).toEqual(["cpu:0", "cpu:1", "cpu:2", "cpu:0"]);
});

test("more than any cap is refused at once, the default cap being 12 * 10^9 bytes", async () => {
  const broker = new LeaseBroker({ devices: [cpu] });
  expect(defaultCapBytes).toBe(12e9);
  await broker.acquire(ask(12e9));
  await expect(broker.acquire(ask(12e9 + 1))).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    reason: "LEASE_ABOVE_CAP",
    message: expect.stringContaining("12000000001 bytes, above the cap of every device (cpu:0 12000000000)"),
  });
});

test.each([-1, 0.5, Number.NaN])("%d bytes cannot be asked for", async (bytes) => {
  const broker = new LeaseBroker({ devices: [cpu] });
  await expect(broker.acquire(ask(bytes))).rejects.toMatchObject({ reason: "LEASE_BYTES_INVALID" });
});

test("a full line is refused at once", async () => {
  const broker = new LeaseBroker({ devices: [cpu], maxWaiting: 1 });
  await broker.acquire(ask(1));
  void broker.acquire(ask(1));
  await expect(broker.acquire(ask(1))).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    reason: "LEASE_QUEUE_FULL",
  });
});

test("giving up frees the place in the line, and positions move", async () => {
  const broker = new LeaseBroker({ devices: [cpu] });
  const first = await broker.acquire(ask(1));
  const abort = new AbortController();
  const second = broker.acquire(ask(1, { signal: abort.signal }));
  const positions: number[] = [];
  const third = broker.acquire(ask(1, { onQueued: (position) => positions.push(position) }));
  abort.abort("enough");
  await expect(second).rejects.toMatchObject({ code: status.CANCELLED, cause: "enough" });
  first.release();
  expect((await third).fencingToken).toBe(2);
  expect(positions).toEqual([1, 0]);
  await expect(broker.acquire(ask(1, { signal: abort.signal }))).rejects.toMatchObject({ code: status.CANCELLED });
});

test("events tell the life of every lease", async () => {
  const broker = new LeaseBroker({ devices: [cpu] });
  const first = await broker.acquire(ask(5));
  const second = broker.acquire(ask(6));
  first.reportUsage(3);
  first.reportUsage(2);
  broker.revoke(first.id, "the run was stopped");
  expect(first.revoked.reason).toMatchObject({ reason: "LEASE_REVOKED", message: "the run was stopped" });
  first.release();
  first.release();
  (await second).release();
  expect(broker.events.map(({ kind, bytes, peakBytes }) => [kind, bytes, peakBytes])).toEqual([
    ["granted", 5, undefined],
    ["queued", 6, undefined],
    ["revoked", 5, undefined],
    ["released", 5, 3],
    ["granted", 6, undefined],
    ["released", 6, 0],
  ]);
  const idle = {
    name: "cpu:0",
    kind: "cpu",
    hardware: "",
    capBytes: 12e9,
    softLimitBytes: 1e10,
    grantedBytes: 0,
    waiting: 0,
    leases: [],
  };
  expect(broker.devices).toEqual([idle]);
});

test("whatever happens in whatever order: never above the cap, tokens rise, first come first served, nothing is lost", async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("ask" as const), bytes: fc.integer({ min: 0, max: 100 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("release" as const), which: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("giveUp" as const), which: fc.nat(30) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 60 }), async (exclusive, steps) => {
      const capBytes = 100;
      const broker = new LeaseBroker({ devices: [{ name: "sim:0", kind: "simulated", capBytes }], exclusive });
      const held: Lease[] = [];
      const grantOrder: number[] = [];
      const asked: { abort: AbortController; outcome?: "granted" | "gaveUp" }[] = [];
      const check = () => {
        const sum = held.reduce((total, { bytes }) => total + bytes, 0);
        expect(sum).toBeLessThanOrEqual(capBytes);
        if (exclusive) expect(held.length).toBeLessThanOrEqual(1);
        expect(broker.devices[0]?.grantedBytes).toBe(sum);
      };
      for (const action of steps) {
        if (action.do === "ask") {
          const entry: (typeof asked)[number] = { abort: new AbortController() };
          const index = asked.push(entry) - 1;
          broker.acquire(ask(action.bytes, { signal: entry.abort.signal })).then(
            (lease) => {
              entry.outcome = "granted";
              grantOrder.push(index);
              held.push(lease);
            },
            () => {
              entry.outcome = "gaveUp";
            },
          );
        } else if (action.do === "release") {
          held.splice(action.which % Math.max(1, held.length), 1)[0]?.release();
        } else {
          asked[action.which % Math.max(1, asked.length)]?.abort.abort();
        }
        await settle();
        check();
      }
      while (held.length > 0) {
        held.shift()?.release();
        await settle();
        check();
      }
      expect(asked.every(({ outcome }) => outcome !== undefined)).toBe(true);
      expect(grantOrder).toEqual([...grantOrder].sort((a, b) => a - b));
    }),
    { seed: 7, numRuns: 200 },
  );
});

test("fencing tokens rise strictly", async () => {
  const broker = new LeaseBroker({ devices: [cpu] });
  const tokens: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const lease = await broker.acquire(ask(1));
    tokens.push(lease.fencingToken);
    lease.release();
  }
  expect(tokens).toEqual([1, 2, 3, 4, 5]);
});
