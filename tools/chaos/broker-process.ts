import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type DeviceState, LeaseService } from "@ragline/contracts";
import { createClient } from "@ragline/rpc";
import { fromRoot } from "../bench/run-benchmark.js";

const startTimeoutMs = 30_000;
const pollMs = 50;

/** A port that nobody listens on just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port could be had");
  return address.port;
}

/** A `ragline lease-broker` in a process of its own, at one address however often it is started again. */
export class BrokerProcess {
  readonly address: string;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(address: string, flags: readonly string[]) {
    this.address = address;
    this.#flags = flags;
  }

  /** Starts one with flags such as `--device`, and waits until it answers. */
  static async start(flags: readonly string[]): Promise<BrokerProcess> {
    const broker = new BrokerProcess(`127.0.0.1:${await freePort()}`, flags);
    await broker.restart();
    return broker;
  }

  /** Starts it again after `kill`, and waits until it answers. */
  async restart(): Promise<void> {
    const cli = fromRoot("services/orchestrator/bin/ragline.mjs");
    const args = [cli, "lease-broker", "--listen", this.address, "--log-level", "warn", ...this.#flags];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    const until = performance.now() + startTimeoutMs;
    for (;;) {
      try {
        await this.devices();
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await sleep(pollMs);
      }
    }
  }

  /** Every device with its living leases, as the broker sees them now. */
  async devices(): Promise<readonly DeviceState[]> {
    const client = createClient(LeaseService, this.address);
    try {
      return (await client.listDevices({})).devices;
    } finally {
      client.close();
    }
  }

  /** Waits until no lease is left. @returns those that still are when the time is over. */
  async leftLeases(timeoutMs: number): Promise<DeviceState["leases"]> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const leases = (await this.devices()).flatMap((device) => device.leases);
      if (leases.length === 0 || performance.now() > until) return leases;
      await sleep(pollMs);
    }
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
}
