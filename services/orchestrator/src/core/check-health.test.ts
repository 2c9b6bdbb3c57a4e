import { ExportService } from "@ragline/contracts";
import { startService } from "@ragline/service-kit";
import { expect, onTestFinished, test } from "vitest";
import { checkHealth } from "./check-health.js";

const service = {
  name: "export",
  service: ExportService,
  handlers: () => ({ export: async function* () {} }),
} as const;

test("a service tells its health, as a whole and by name, and nobody answers once it is gone", async () => {
  const running = await startService(service, { args: ["--log-level", "silent"] });
  onTestFinished(() => running.drain(0));
  await expect(checkHealth(running.address)).resolves.toBe("SERVING");
  await expect(checkHealth(running.address, { service: "ragline.v1.ExportService" })).resolves.toBe("SERVING");
  await expect(checkHealth(running.address, { service: "ragline.v1.Nothing" })).rejects.toThrow(/is it running\?/);
  await running.drain(0);
  await expect(checkHealth(running.address, { timeoutMs: 500 })).rejects.toThrow(
    /did not tell its health within 500 ms .* is it running\?/,
  );
});
