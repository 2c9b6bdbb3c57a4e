import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { type ComposeFile, type ComposeService, raglineServices } from "./compose-file.js";

const cli = resolve("services/orchestrator/bin/ragline.mjs");
const startMs = 90_000;

/** What a process gets instead of what its container has. */
export interface ComposeProcessesOptions {
  /** Folders of this host for the containers' mount points, such as { "/out": "/tmp/out" }. */
  readonly folders: Readonly<Record<string, string>>;
  /** Environment of single services, over that of the file. @default {} */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What a process tells when it serves. */
interface Ready {
  readonly address: string;
  readonly metrics: string;
}

/** How a command ended. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The Ragline services of a Compose file as plain processes: the same command lines and environment, with free ports of
 * loopback for the containers' names and ports, and folders for their volumes.
 */
export class ComposeProcesses {
  readonly #options: ComposeProcessesOptions;
  readonly #services: ReadonlyMap<string, ComposeService>;
  readonly #children = new Map<string, ChildProcess>();
  readonly #ready = new Map<string, Ready>();

  private constructor(file: ComposeFile, options: ComposeProcessesOptions) {
    this.#options = options;
    this.#services = new Map(raglineServices(file));
  }

  /**
   * Starts all of them, each after those that it waits for.
   * @throws Error with the last lines of the first service that does not start.
   */
  static async start(file: ComposeFile, options: ComposeProcessesOptions): Promise<ComposeProcesses> {
    const processes = new ComposeProcesses(file, options);
    try {
      const waiting = new Map<string, Promise<void>>();
      for (const [name, { depends_on = {} }] of processes.#services) {
        const before = Object.keys(depends_on).flatMap((each) => waiting.get(each) ?? []);
        waiting.set(
          name,
          Promise.all(before).then(() => processes.#start(name)),
        );
      }
      await Promise.all(waiting.values());
      return processes;
    } catch (error) {
      await processes.stop();
      throw error;
    }
  }

  /** Names of the services, in the order of their start. */
  get names(): string[] {
    return [...this.#services.keys()];
  }

  /** "host:port" of a service's gRPC server. */
  address(name: string): string {
    return this.#ready.get(name)?.address ?? "";
  }

  /** "host:port" of a service's /metrics. */
  metricsAddress(name: string): string {
    return this.#ready.get(name)?.metrics ?? "";
  }

  /** Runs a command in a service's container, as `docker compose exec` does; the first word must be ragline. */
  async exec(name: string, [program, ...args]: readonly string[]): Promise<CommandResult> {
    if (program !== "ragline") throw new Error(`${program} is not in the image`);
    const child = this.#spawn(name, args, ["ignore", "pipe", "pipe"]);
    const output = { stdout: "", stderr: "" };
    child.stdout?.on("data", (chunk) => (output.stdout += String(chunk)));
    child.stderr?.on("data", (chunk) => (output.stderr += String(chunk)));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, ...output };
  }

  /** Runs a service's health check. */
  async health(name: string): Promise<CommandResult> {
    const [, ...command] = this.#services.get(name)?.healthcheck?.test ?? [];
    return this.exec(name, command);
  }

  /** Ends a service as a container engine does, by SIGTERM; gives its exit code. */
  async stopOne(name: string): Promise<number | null> {
    const child = this.#children.get(name);
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((name) => this.stopOne(name)));
  }

  async #start(name: string): Promise<void> {
    const command = (this.#services.get(name)?.command ?? []).map((word) =>
      word.replace(/^0\.0\.0\.0:\d+$/, "127.0.0.1:0"),
    );
    const child = this.#spawn(name, command, ["ignore", "ignore", "pipe"]);
    this.#children.set(name, child);
    const lines: string[] = [];
    const ready = new Promise<Ready>((done, fail) => {
      const stop = () => fail(new Error(`${name} did not start:\n${lines.slice(-5).join("\n")}`));
      const timer = setTimeout(stop, startMs);
      child.once("error", stop).once("exit", stop);
      if (!child.stderr) return;
      createInterface({ input: child.stderr }).on("line", (line) => {
        lines.push(line);
        if (!line.includes('"ready"')) return;
        clearTimeout(timer);
        done(JSON.parse(line) as Ready);
      });
    });
    this.#ready.set(name, await ready);
  }

  #spawn(name: string, args: readonly string[], stdio: ("ignore" | "pipe")[]): ChildProcess {
    const { folders, environment = {} } = this.#options;
    const local = (word: string): string => {
      // Inside its container a service is at loopback with the port that it listens on.
      const address = /^127\.0\.0\.1:[1-9]\d*$/.test(word) ? this.address(name) : this.#resolve(word);
      const folder = Object.keys(folders).find((mount) => address === mount || address.startsWith(`${mount}/`));
      return folder === undefined ? address : `${folders[folder]}${address.slice(folder.length)}`;
    };
    const given = { ...this.#services.get(name)?.environment, ...environment[name] };
    const env = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, local(value)]));
    return spawn(process.execPath, [cli, ...args.map(local)], {
      // No variable of this process reaches a container; a home is needed for the cache of measurements.
      env: { PATH: process.env["PATH"] ?? "", HOME: folders["/out"] ?? "", ...env },
      cwd: folders["/out"],
      stdio,
    });
  }

  /** A word in which `service:port` became the address where that service really is. */
  #resolve(word: string): string {
    return word.replace(
      /\b([a-z][a-z0-9-]*):(\d{2,5})\b/g,
      (all, name: string) => this.#ready.get(name)?.address ?? all,
    );
  }
}
