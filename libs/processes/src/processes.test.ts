import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { childrenOf, descendantsOf, hasProcessUsage, isRunning, peakResidentBytes, processorSeconds } from "./index.js";

/** A process that runs a script until the test ends, and what it has said. */
async function start(script: string): Promise<{ child: ChildProcess; pid: number; said: string }> {
  const child = spawn(process.execPath, ["-e", `${script}; setInterval(() => {}, 1000)`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, pid: child.pid ?? 0, said: String(said) };
}

test("a process runs until it has ended", async () => {
  const { child, pid } = await start("console.log(1)");
  expect(isRunning(pid)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isRunning(pid)).toBe(false);
});

describe.skipIf(process.platform !== "linux")("on Linux", () => {
  test("children and theirs are told with their commands", async () => {
    const { pid, said } = await start(
      `const { spawn } = require("node:child_process");
       const grandchild = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "grand"]);
       console.log(grandchild.pid)`,
    );
    const grandchild = Number(said);
    onTestFinished(() => void process.kill(grandchild, "SIGKILL"));
    expect(childrenOf(process.pid).map((child) => child.pid)).toContain(pid);
    expect(childrenOf(pid)).toMatchObject([{ pid: grandchild, command: expect.stringContaining("grand") as string }]);
    expect(descendantsOf(process.pid).map((child) => child.pid)).toEqual(expect.arrayContaining([pid, grandchild]));
    expect(childrenOf(grandchild)).toEqual([]);
  });

  test("a process that was not reaped yet does not run", async () => {
    const script = `"sh", ["-c", "sleep 0 & exec sleep 60"]`;
    const { pid } = await start(`const child = require("node:child_process").spawn(${script}); console.log(child.pid)`);
    const [parent] = childrenOf(pid);
    onTestFinished(() => void process.kill(parent?.pid ?? 0, "SIGKILL"));
    await expect.poll(() => childrenOf(parent?.pid ?? 0).map((child) => isRunning(child.pid))).toEqual([false]);
  });

  test("memory and processor time are those that were used", async () => {
    const { child, pid } = await start(
      "const kept = Buffer.alloc(64 * 2 ** 20, 1); for (let i = 0; i < 3e8; i++) kept[i % 100]++; console.log(1)",
    );
    expect(hasProcessUsage()).toBe(true);
    expect(peakResidentBytes(pid)).toBeGreaterThan(64 * 2 ** 20);
    expect(processorSeconds(pid)).toBeGreaterThan(0.05);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect([peakResidentBytes(pid), processorSeconds(pid)]).toEqual([0, 0]);
  });
});
