import { expect, test } from "vitest";
import { assertReachable, createServer, listen } from "./index.js";

test("an address where somebody listens is reachable, one where nobody does is named", async () => {
  const server = createServer();
  const address = await listen(server, "127.0.0.1:0");
  await expect(assertReachable(address)).resolves.toBeUndefined();
  server.forceShutdown();
  await expect(assertReachable(address, { name: "dense service", timeoutMs: 300 })).rejects.toThrow(
    `dense service at ${address} is not reachable within 300 ms; is it running?`,
  );
});
