import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { defineSettings } from "@ragline/config";
import { SparseService } from "@ragline/contracts";
import type { Handlers } from "@ragline/rpc";
import type { ServiceContext, ServiceOptions } from "./start-service.js";

const foreverMs = 3_600_000;

const settings = defineSettings({
  wordFactor: { type: "integer", default: 1, minimum: 1, description: "What every count is multiplied by." },
  failStart: { type: "boolean", default: false, description: "Whether to fail at the start." },
});

/** A service that does what the `model` of a call names; for tests of how services start, stop and fail. */
function handlers({ config, metrics }: ServiceContext<typeof settings>): Handlers<typeof SparseService> {
  if (config.failStart) throw new Error("the fixture was told to fail");
  return {
    async measureCorpus(requests) {
      let words = 0;
      for await (const { texts } of requests) words += texts.join(" ").split(" ").length;
      metrics.observeLatency(0.2);
      metrics.observeBatch(2, 40);
      metrics.countChunks("ok", 2);
      metrics.observeLeaseWait(0.2);
      metrics.recordPeakBytes("cpu:0", 5);
      metrics.recordPeakBytes("cpu:0", 3);
      return { words: BigInt(words * config.wordFactor) };
    },
    async *encode(requests, { signal }) {
      for await (const { kind } of requests) {
        const what = kind.case === "open" ? kind.value.model : "";
        yield { kind: { case: "ready", value: { model: what } } };
        if (what === "fail") throw new TypeError("the secret", { cause: new Error("the deeper cause") });
        // Answers only once the caller has ended its requests.
        if (what === "hold") continue;
        if (what === "work") await sleep(foreverMs, undefined, { signal });
        if (what === "stubborn") await sleep(foreverMs, undefined, { ref: false });
        if (what === "crash") process.kill(process.pid, "SIGKILL");
        if (what === "spawn") {
          const worker = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
          yield { kind: { case: "summary", value: { items: BigInt(worker.pid ?? 0) } } };
          await sleep(foreverMs);
        }
      }
      yield { kind: { case: "summary", value: {} } };
    },
  };
}

export const sparseFixture: ServiceOptions<typeof SparseService, typeof settings> = {
  name: "sparse",
  service: SparseService,
  settings,
  handlers,
};
