import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readCompose } from "./compose-file.js";
import { prometheusRules, prometheusRulesPath } from "./prometheus-rules.js";
import { readRules } from "./rule-files.js";
import { parseYamlDocuments, readYaml, yamlFiles } from "./yaml-files.js";

type Labels = Readonly<Record<string, string>>;
interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: { readonly requests: Labels; readonly limits: Labels };
  readonly securityContext: object;
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}
interface Probe {
  readonly grpc: { readonly port: number };
}
interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly selector: Labels & { readonly matchLabels?: Labels };
    readonly ports?: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
    readonly template?: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: { readonly containers: readonly Container[]; readonly [key: string]: unknown };
    };
  };
}

const folder = "deploy/kubernetes";
const hasKubectl = spawnSync("kubectl", ["kustomize", `${folder}/base`]).status === 0;
if (!hasKubectl) console.warn("kubectl is not installed: the overlays are not put together");
const compose = readCompose("deploy/compose/compose.yaml");
const resources = yamlFiles(`${folder}/base`)
  .filter((path) => !path.endsWith("kustomization.yaml"))
  .flatMap((path) => parseYamlDocuments<Resource>(readFileSync(path, "utf8")));
const ofKind = (kind: string, among: readonly Resource[] = resources): Resource[] =>
  among.filter((resource) => resource.kind === kind);
const containersOf = ({ spec }: Resource): readonly Container[] => spec.template?.spec.containers ?? [];
const containers = ofKind("StatefulSet").flatMap((set) =>
  containersOf(set).map((each) => [each.name, each, set] as const),
);

test("the five services are there", () => {
  expect(containers.map(([name]) => name).sort()).toEqual(["dense", "export", "orchestrator", "rerank", "sparse"]);
  expect(readYaml<{ resources: string[] }>(`${folder}/base/kustomization.yaml`).resources.length).toBe(
    yamlFiles(`${folder}/base`).length - 1,
  );
});

describe.each(containers)("%s", (name, container, set) => {
  const port = Number(container.args[container.args.indexOf("--listen") + 1]?.split(":")[1]);

  test("runs the command line of compose", () => {
    const command = compose.services[name]?.command ?? [];
    // Two services of one pod cannot both have their metrics on one port.
    const expected = name === "export" ? command.map((word) => word.replace(":9464", ":9465")) : command;
    expect(container.args).toEqual(expected);
  });

  test("is probed over gRPC where it listens, and its ports have names", () => {
    for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe])
      expect(probe.grpc.port).toBe(port);
    expect(container.ports.map(({ containerPort }) => containerPort)).toContain(port);
  });

  test("has bounds and no rights", () => {
    expect(container.image).toBe("ragline");
    expect(Object.keys(container.resources.requests)).toEqual(["cpu", "memory"]);
    expect(Object.keys(container.resources.limits)).toEqual(["memory"]);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(set.spec.template?.spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001 },
    });
  });

  test("has a service for its metrics under the job that rules go by", () => {
    const service = ofKind("Service").find((each) => each.metadata.name === `ragline-${name}`);
    const metrics = service?.spec.ports?.find((each) => each.name === "metrics");
    expect(container.ports.map((each) => each.name)).toContain(metrics?.targetPort);
    expect(set.spec.template?.metadata.labels).toMatchObject(service?.spec.selector ?? { missing: "service" });
  });
});

test("every set has its service and a disruption budget for its pods", () => {
  for (const { metadata, spec } of ofKind("StatefulSet")) {
    const labels = spec.template?.metadata.labels;
    expect(spec.selector.matchLabels).toEqual(labels);
    expect(ofKind("Service").map((each) => each.metadata.name)).toContain(spec.serviceName);
    const budget = ofKind("PodDisruptionBudget").find((each) => each.metadata.name === metadata.name);
    expect(budget?.spec.selector.matchLabels).toEqual(labels);
  }
});

/** The address of every replica of every stage, as the orchestrator has to be told it. */
function replicas(among: readonly Resource[]): string[] {
  return ofKind("StatefulSet", among).flatMap((set) =>
    containersOf(set).flatMap(({ name, args }) => {
      const port = args[args.indexOf("--listen") + 1]?.split(":")[1];
      if (name === "orchestrator") return [];
      if (name === "export") return [`127.0.0.1:${port}`];
      return Array.from(
        { length: set.spec.replicas ?? 1 },
        (_, i) => `${set.metadata.name}-${i}.${set.spec.serviceName}:${port}`,
      );
    }),
  );
}

function endpoints(among: readonly Resource[]): string[] {
  const [own] = ofKind("StatefulSet", among)
    .flatMap(containersOf)
    .filter(({ name }) => name === "orchestrator");
  const list = own?.env?.find(({ name }) => name === "RAGLINE_ENDPOINTS")?.value ?? "";
  return list.split(",").map((entry) => entry.replace(/^[a-z]+=/, ""));
}

test("the orchestrator knows every replica", () => {
  expect(endpoints(resources).sort()).toEqual(replicas(resources).sort());
});

test("the manifest of rules is what `npm run generate` makes of those of Prometheus, every group and rule", () => {
  const text = readFileSync(prometheusRulesPath, "utf8");
  expect(text).toBe(prometheusRules());
  const manifests = parseYamlDocuments<{ kind: string; spec: { groups: { name: string; rules: object[] }[] } }>(text);
  expect(manifests.every(({ kind }) => kind === "PrometheusRule")).toBe(true);
  const { alerts, recordings } = readRules("deploy/prometheus/rules");
  const rules = manifests.flatMap(({ spec }) => spec.groups.flatMap((group) => group.rules));
  expect(rules).toEqual([...alerts, ...recordings]);
});

describe.skipIf(!hasKubectl)("kustomize", () => {
  const built = (path: string): Resource[] => {
    const { stdout, stderr, status } = spawnSync("kubectl", ["kustomize", `${folder}/${path}`], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    return parseYamlDocuments<Resource>(stdout);
  };

  test.each([
    ["base", "ragline:0.1.0"],
    ["overlays/gpu", "ragline:0.1.0-gpu"],
    ["overlays/monitored", "ragline:0.1.0"],
  ])("%s has image %s and an orchestrator that knows every replica", (path, image) => {
    const among = built(path);
    expect(endpoints(among).sort()).toEqual(replicas(among).sort());
    for (const each of ofKind("StatefulSet", among).flatMap(containersOf)) expect(each.image).toBe(image);
  });

  test("overlays/gpu gives each model stage a GPU of its own, on nodes that have one", () => {
    const stages = ofKind("StatefulSet", built("overlays/gpu")).filter(
      ({ metadata }) => !metadata.name.endsWith("orchestrator"),
    );
    expect(stages.length).toBe(3);
    for (const stage of stages) {
      expect(containersOf(stage)[0]?.resources.limits).toMatchObject({ "nvidia.com/gpu": 1, memory: "4Gi" });
      expect(stage.spec.template?.spec["nodeSelector"]).toEqual({ "nvidia.com/gpu.present": "true" });
      expect(containersOf(stage)[0]?.env).toEqual([{ name: "RAGLINE_DEVICE", value: "cuda" }]);
    }
  });

  test("overlays/monitored has a monitor that selects every service, and the rules", () => {
    const among = built("overlays/monitored");
    expect(ofKind("PrometheusRule", among).map(({ metadata }) => metadata.name)).toEqual([
      "ragline-alerts",
      "ragline-recording",
    ]);
    const [monitor] = ofKind("ServiceMonitor", among);
    for (const service of ofKind("Service", among))
      expect(service.metadata).toMatchObject({ labels: monitor?.spec.selector.matchLabels });
  });
});
