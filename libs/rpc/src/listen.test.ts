import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logVerbosity, setLogVerbosity, status } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { createClient } from "./client.js";
import { EchoService, echoHandlers, heard, say } from "./echo-service.fixture.js";
import { implementation } from "./implementation.js";
import { listen } from "./listen.js";
import { serviceDefinition } from "./method-definition.js";
import { createServer } from "./server.js";

setLogVerbosity(logVerbosity.NONE); // grpc-js would print what these tests provoke

function echoServer() {
  const server = createServer();
  server.addService(serviceDefinition(EchoService), implementation(EchoService, echoHandlers()));
  onTestFinished(() => server.forceShutdown());
  return server;
}

async function ask(address: string): Promise<string> {
  const client = createClient(EchoService, address);
  try {
    return heard(await client.single(say("hello")));
  } finally {
    client.close();
  }
}

function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "ragline-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "s");
}

test.each(["127.0.0.1:0", ":0", "localhost:0"])("%s takes a free port and says which", async (asked) => {
  const address = await listen(echoServer(), asked);
  expect(address).toMatch(/^(127\.0\.0\.1|localhost):[1-9]\d+$/);
  expect(await ask(address)).toBe("hello");
});

test("a Unix socket serves", async () => {
  const address = `unix:${socketPath()}`;
  expect(await listen(echoServer(), address)).toBe(address);
  expect(await ask(address)).toBe("hello");
});

test("a port in use is named", async () => {
  const address = await listen(echoServer(), "127.0.0.1:0");
  await expect(listen(echoServer(), address)).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    reason: "ADDRESS_IN_USE",
    message: expect.stringContaining(`cannot listen on ${address}: the port is in use`),
  });
});

test("a socket that somebody serves is in use, one left by a killed process is taken over", async () => {
  const path = socketPath();
  const leave = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", leave]);
  expect(existsSync(path)).toBe(true);
  await listen(echoServer(), `unix:${path}`);
  expect(await ask(`unix:${path}`)).toBe("hello");
  await expect(listen(echoServer(), `unix:${path}`)).rejects.toMatchObject({ reason: "ADDRESS_IN_USE" });
  expect(await ask(`unix:${path}`)).toBe("hello");
});

test.each([
  ["8080", "ADDRESS_INVALID"],
  ["host:port", "ADDRESS_INVALID"],
  ["127.0.0.1:70000", "ADDRESS_INVALID"],
  ["unix:/nowhere/at/all/s", "CANNOT_LISTEN"],
  ["192.0.2.1:0", "CANNOT_LISTEN"],
])("%s is refused with a sentence", async (address, reason) => {
  await expect(listen(echoServer(), address)).rejects.toMatchObject({
    reason,
    message: expect.stringContaining(`cannot listen on ${address.startsWith("unix") ? address : ""}`),
  });
});
