// A fire drill: the services of deploy/compose as plain processes, a real Prometheus with the repository's rules that
// scrapes them, a rerank model whose graph is missing, and one run. Ends with exit code 0 when RaglineRerankFallback,
// and no alert that is worse, fires for real; 1 when not, 2 when Prometheus is not installed.
//   node tools/dist/deploy/alert-drill.js
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { embeddedModelsDir, findModel } from "@ragline/models";
import { checkMetrics } from "./check-metrics.js";
import { readCompose } from "./compose-file.js";
import { ComposeProcesses } from "./compose-processes.js";
import { type ActiveAlert, hasPrometheus, PrometheusServer } from "./prometheus-server.js";

const model = "qa-minilm-l6-cross-encoder";
const expected = "RaglineRerankFallback";
const waitMs = 120_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** A models folder that is whole but for the graphs of the rerank model. */
function brokenModels(folder: string): string {
  const { source } = findModel(model, "rerank") as { source: { folder?: string } };
  for (const name of readdirSync(embeddedModelsDir)) {
    if (name !== source.folder) symlinkSync(resolve(embeddedModelsDir, name), join(folder, name));
  }
  const broken = join(folder, source.folder ?? model);
  mkdirSync(broken);
  for (const file of readdirSync(join(embeddedModelsDir, source.folder ?? model)))
    if (!file.endsWith(".onnx"))
      symlinkSync(resolve(embeddedModelsDir, source.folder ?? model, file), join(broken, file));
  return folder;
}

/** Waits until something is so. */
async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + waitMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > end) throw new Error(`waited ${waitMs / 1000} s in vain for: ${what}`);
    await delay(500);
  }
}

async function checkAllMetrics(services: ComposeProcesses): Promise<void> {
  for (const name of services.names) {
    const { seriesCount, problems } = await checkMetrics(services.metricsAddress(name));
    if (problems !== "") throw new Error(`promtool check metrics of ${name}:\n${problems}`);
    say(`${name}: /metrics has ${seriesCount} series, promtool check metrics is content`);
  }
}

async function tellPanels(prometheus: PrometheusServer): Promise<void> {
  const dashboard = JSON.parse(readFileSync("deploy/grafana/dashboards/ragline.json", "utf8")) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const answers = await Promise.all(
    queries.map((query) => prometheus.query(query.replaceAll("$__rate_interval", "1m"))),
  );
  const full = answers.filter((answer) => answer.length > 0).length;
  const exemplars = await prometheus.exemplars("rag_dense_latency_seconds_bucket");
  say(`exemplars with trace ids of the dense latency: ${exemplars}`);
  say(`dashboard: ${queries.length} queries were answered, ${full} of them with data`);
}

function tellAlert({ state, labels, annotations }: ActiveAlert): void {
  say(
    `  ${state} ${labels["alertname"]} (${labels["severity"]}): ${annotations["description"]} See ${annotations["runbook"]}`,
  );
}

async function drill(folder: string): Promise<boolean> {
  const folders: Record<string, string> = {
    "/in": "in",
    "/out": "out",
    "/var/cache": "cache",
    models: "models",
    prometheus: "prometheus",
  };
  for (const [mount, name] of Object.entries(folders)) {
    folders[mount] = join(folder, name);
    mkdirSync(join(folder, name));
  }
  const text =
    "# Leases\n\nA lease is an open stream. Its memory is given back when it ends.\n\n# Vectors\n\nEvery text becomes one vector.\n";
  writeFileSync(join(folder, "in", "notes.md"), text);
  const workers = { RAGLINE_WORKERS: "1" };
  const services = await ComposeProcesses.start(readCompose("deploy/compose/compose.yaml"), {
    folders,
    environment: {
      dense: workers,
      sparse: workers,
      rerank: { ...workers, RAGLINE_MODELS_DIR: brokenModels(join(folder, "models")) },
    },
  });
  let prometheus: PrometheusServer | undefined;
  try {
    say(`started ${services.names.join(", ")}; the graphs of ${model} are missing`);
    const at = (target: string): string => services.metricsAddress(target.split(":")[0] ?? "");
    prometheus = await PrometheusServer.start(join(folder, "prometheus"), at);
    const server = prometheus;
    await until("all services to be scraped", async () => {
      const up = await server.query('up{job=~"ragline-.+"} == 1');
      return up.length === services.names.length ? up : undefined;
    });
    say(`Prometheus at ${server.url} scrapes all ${services.names.length} services`);
    const early = (await server.alerts()).filter(({ state }) => state === "firing");
    if (early.length > 0) throw new Error(`alerts fire before anything happened: ${JSON.stringify(early)}`);

    const run = await services.exec("orchestrator", [
      "ragline",
      "run",
      "--input",
      "/in",
      "--output-dir",
      "/out/drill",
      "--json",
    ]);
    const { degraded } = JSON.parse(run.stdout) as { degraded?: boolean };
    say(`ragline run ended with exit code ${run.code}, degraded: ${degraded}`);
    const startedAt = Date.now();
    const firing = await until(`${expected} to fire`, async () => {
      const alerts = (await server.alerts()).filter(({ state }) => state === "firing");
      return alerts.some(({ labels }) => labels["alertname"] === expected) ? alerts : undefined;
    });
    say(`alerts, ${((Date.now() - startedAt) / 1000).toFixed(1)} s after the run:`);
    for (const alert of await server.alerts()) tellAlert(alert);
    for (const { metric, value } of await server.query("rag_fallback_total > 0"))
      say(
        `  rag_fallback_total{stage="${metric["stage"]}",reason="${metric["reason"]}",source="${metric["source"]}"} is ${value}`,
      );
    await checkAllMetrics(services);
    await tellPanels(server);
    return run.code === 0 && degraded === true && firing.every(({ labels }) => labels["severity"] !== "critical");
  } finally {
    await prometheus?.stop();
    await services.stop();
  }
}

if (!hasPrometheus()) {
  process.stderr.write("alert-drill needs Prometheus and promtool on the PATH (Debian: package prometheus)\n");
  process.exitCode = 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), "ragline-drill-"));
  try {
    const asExpected = await drill(folder);
    say(asExpected ? `passed: ${expected} fired, and nothing worse` : "failed: see above");
    if (!asExpected) process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`alert-drill: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
