import { basename } from "node:path";
import { stringify } from "yaml";
import { readYaml, yamlFiles } from "./yaml-files.js";

/** Where {@link prometheusRules} belongs. */
export const prometheusRulesPath = "deploy/kubernetes/components/monitoring/prometheus-rules.yaml";

const head = `# The rules of deploy/prometheus/rules for the Prometheus operator: a PrometheusRule for each file.
# Made by \`npm run generate\`; change the rules there, not here.
# Proven by: npx vitest run tools/deploy (they are the same)
`;

/** The rule files of deploy/prometheus as manifests for the Prometheus operator, in one YAML text. */
export function prometheusRules(): string {
  const manifests = yamlFiles("deploy/prometheus/rules").map((path) => ({
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: basename(path, ".yml") },
    spec: readYaml<object>(path),
  }));
  return head + manifests.map((manifest) => stringify(manifest, { lineWidth: 0 })).join("---\n");
}
