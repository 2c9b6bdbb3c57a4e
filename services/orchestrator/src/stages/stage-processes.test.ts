import { resolveSettings } from "@ragline/config";
import { childrenOf } from "@ragline/processes";
import { expect, onTestFinished, test, vi } from "vitest";
import { runSettings } from "../run-settings.js";
import { StageProcesses } from "./stage-processes.js";

/** The process below this one that runs a service. */
const pidOf = (service: string): number | undefined =>
  childrenOf(process.pid).find(({ command }) => command.includes(`services/${service}/dist/main.js`))?.pid;

test.skipIf(process.platform !== "linux")("a service that is killed before it serves is started again", async () => {
  const { values } = resolveSettings(runSettings, { env: {} });
  const stages = await StageProcesses.open({
    endpoints: new Map(),
    workers: 1,
    leases: { findDevices: async () => ({ devices: [{ name: "cpu:0", kind: "cpu" }], fallbacks: [] }) },
    exclusive: true,
    modelSettings: values,
    logLevel: "error",
    onLine: () => undefined,
  });
  onTestFinished(() => stages.close());
  stages.warm(["export"]);
  const first = await vi.waitUntil(() => pidOf("export"), { interval: 5, timeout: 60_000 });
  process.kill(first, "SIGKILL");
  await stages.client("export");
  const { export: second } = await stages.pids();
  expect(second).toBeGreaterThan(0);
  expect(second).not.toBe(first);
});
