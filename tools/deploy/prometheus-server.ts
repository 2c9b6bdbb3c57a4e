import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { readYaml } from "./yaml-files.js";

/** An alert as Prometheus tells it. */
export interface ActiveAlert {
  readonly state: "pending" | "firing";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One series of an answer. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Config {
  global: { scrape_interval: string; evaluation_interval: string };
  rule_files: string[];
  scrape_configs: { job_name: string; file_sd_configs?: { files: string[] }[] }[];
}

const startMs = 30_000;
const pollMs = 200;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Whether Prometheus and promtool are installed. */
export function hasPrometheus(): boolean {
  return ["prometheus", "promtool"].every((program) => spawnSync(program, ["--version"]).status === 0);
}

/** A real Prometheus in a folder of its own, with the repository's rules. */
export class PrometheusServer {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /**
   * Starts it with deploy/prometheus/prometheus.yml, in which only the targets' addresses and the intervals are other.
   * @param addresses where a target of deploy/prometheus/targets really is, such as "dense:9464" at "127.0.0.1:4711"
   * @throws Error with what it said last when it does not start.
   */
  static async start(
    folder: string,
    addresses: (target: string) => string,
    intervalSeconds = 1,
  ): Promise<PrometheusServer> {
    const source = "deploy/prometheus";
    mkdirSync(join(folder, "targets"), { recursive: true });
    const targets = readYaml<{ targets: string[] }[]>(`${source}/targets/compose.yml`);
    const moved = targets.map((group) => ({ ...group, targets: group.targets.map(addresses) }));
    writeFileSync(join(folder, "targets", "compose.yml"), stringify(moved));
    const config = readYaml<Config>(`${source}/prometheus.yml`);
    config.global = { scrape_interval: `${intervalSeconds}s`, evaluation_interval: `${intervalSeconds}s` };
    config.rule_files = config.rule_files.map((files) => resolve(source, files));
    const port = await freePort();
    const text = stringify(config).replace("localhost:9090", `127.0.0.1:${port}`);
    writeFileSync(join(folder, "prometheus.yml"), text);

    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--enable-feature=exemplar-storage",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    child.stderr.on("data", (chunk) => {
      said = (said + String(chunk)).slice(-2000);
    });
    const server = new PrometheusServer(child, `http://127.0.0.1:${port}`);
    const until = Date.now() + startMs;
    for (;;) {
      const ready = await fetch(`${server.url}/-/ready`)
        .then((reply) => reply.ok)
        .catch(() => false);
      if (ready) return server;
      if (child.exitCode !== null || Date.now() > until) throw new Error(`Prometheus did not start:\n${said}`);
      await delay(pollMs);
    }
  }

  /** The answer to an instant query. */
  async query(query: string): Promise<Sample[]> {
    const reply = await this.#get<{ result: { metric: Sample["metric"]; value: [number, string] }[] }>("query", {
      query,
    });
    return reply.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The alerts that fire or are about to. */
  async alerts(): Promise<readonly ActiveAlert[]> {
    return (await this.#get<{ alerts: ActiveAlert[] }>("alerts")).alerts;
  }

  /** How many exemplars of a query's series were stored within the last hour. */
  async exemplars(query: string): Promise<number> {
    const now = Date.now() / 1000;
    const series = await this.#get<{ exemplars: unknown[] }[]>("query_exemplars", {
      query,
      start: String(now - 3600),
      end: String(now),
    });
    return series.reduce((sum, { exemplars }) => sum + exemplars.length, 0);
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }

  async #get<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
    const reply = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { data, error } = (await reply.json()) as { data?: T; error?: string };
    if (data === undefined) throw new Error(`Prometheus refused ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }
}
