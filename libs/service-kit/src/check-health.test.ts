import { expect, onTestFinished, test } from "vitest";
import { checkHealth } from "./check-health.js";
import { sparseFixture } from "./sparse.fixture.js";
import { startService } from "./start-service.js";

test("a service tells its health, as a whole and by name, and nobody answers once it is gone", async () => {
  const running = await startService(sparseFixture, { args: ["--log-level", "silent"] });
  onTestFinished(() => running.drain(0));
  await expect(checkHealth(running.address)).resolves.toBe("SERVING");
  await expect(checkHealth(running.address, { service: "ragline.v1.SparseService" })).resolves.toBe("SERVING");
  await expect(checkHealth(running.address, { service: "ragline.v1.Nothing" })).rejects.toMatchObject({
    reason: "HEALTH_UNKNOWN",
  });
  await running.drain(0);
  await expect(checkHealth(running.address, { timeoutMs: 500 })).rejects.toThrow(
    /did not tell its health within 500 ms .* is it running\?/,
  );
});
