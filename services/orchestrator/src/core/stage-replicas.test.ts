import { DenseService, OutcomeReason } from "@ragline/contracts";
import { createClient } from "@ragline/rpc";
import { expect, onTestFinished, test } from "vitest";
import type { RunContext, StageClients } from "./run-context.js";
import {
  type DenseScript,
  embedTexts,
  type ScriptedDense,
  startScriptedDense,
  vectorOf,
} from "./scripted-dense.fixture.js";
import { contextFor } from "./stage-test-context.fixture.js";
import { withStage } from "./with-stage.js";

const texts = Array.from({ length: 200 }, (_, i) => `text ${i}`);

/** A run whose dense service is a child that can be started again: the nth start follows the nth script. */
function contextOfChild(scriptOf: (start: number) => DenseScript) {
  const started: ScriptedDense[] = [];
  const context = contextFor(DenseService, []);
  const stages = {
    leaseBroker: () => "unix:/broker",
    async clients() {
      const service = await startScriptedDense(scriptOf(started.length));
      started.push(service);
      const client = createClient(DenseService, service.address);
      onTestFinished(() => client.close());
      return [{ address: service.address, client }];
    },
    hasDied: async () => true,
  };
  return { context: { ...context, stages: stages as unknown as StageClients }, started };
}

const dyingAt =
  (fatal: number): NonNullable<DenseScript["onBatch"]> =>
  (batch, { kill }) =>
    batch === fatal ? kill() : undefined;

test("a child that dies is started again and goes on from the first batch without an answer", async () => {
  const { context, started } = contextOfChild((start) => (start === 0 ? { onBatch: dyingAt(4) } : {}));
  const { rows } = await embedTexts(context, texts);
  expect(rows).toEqual(texts.map(vectorOf));
  expect(started).toHaveLength(2);
  // Sixteen texts are a batch. What was answered just before the end may be lost on its way.
  expect(started[1]?.received[0]).toBeGreaterThan(0);
  expect(started[1]?.received[0]).toBeLessThanOrEqual(64);
  expect(started[1]?.opens).toMatchObject([{ leaseBroker: "unix:/broker" }]);
  expect(context.outcomes).toMatchObject([
    { reason: OutcomeReason.EXECUTOR_UNAVAILABLE, count: 1n, degraded: false, detail: /was started again and went on/ },
  ]);
  const starts = context.events.filter((event) => event.case === "stageStarted");
  expect(starts).toHaveLength(2);
});

test("a child that dies again and again without an answer in between is given up after two restarts", async () => {
  const { context, started } = contextOfChild(() => ({ onBatch: dyingAt(0) }));
  await expect(embedTexts(context, texts)).rejects.toMatchObject({ codeName: "UNAVAILABLE" });
  expect(started).toHaveLength(3);
});

test("a child that cannot be started again fails the stage with its own last words", async () => {
  const { context } = contextOfChild(() => ({ onBatch: dyingAt(2) }));
  const stages: StageClients = {
    ...context.stages,
    hasDied: () => Promise.reject(new Error("the dense service did not start: no such file")),
  };
  await expect(embedTexts({ ...context, stages }, texts)).rejects.toThrow("did not start: no such file");
});

/** Opens a stream to each client that it is given, until one answers. */
const firstReady = (context: RunContext) =>
  withStage(context, "dense", async (client) => {
    async function* requests() {
      yield { kind: { case: "open" as const, value: { model: "m" } } };
    }
    for await (const { kind } of client.embed(requests())) if (kind.case === "ready") return kind.value.device;
    return undefined;
  });

test("what is asked of one service is asked of the next replica when that one is lost", async () => {
  const alive = await startScriptedDense({ ready: { device: "second" } });
  const context = contextFor(DenseService, ["127.0.0.1:1", alive.address]);
  expect(await firstReady(context)).toBe("second");
  expect(context.outcomes).toMatchObject([{ reason: OutcomeReason.REPLICA_LOST, count: 1n, degraded: false }]);
  const lost = contextFor(DenseService, ["127.0.0.1:1", "127.0.0.1:2"]);
  await expect(firstReady(lost)).rejects.toThrow("127.0.0.1:2");
});
