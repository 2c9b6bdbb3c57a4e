import { readYaml, yamlFiles } from "./yaml-files.js";

/** A rule that alerts. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A rule that keeps the result of a query under a new name. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** A case of a promtool unit test: at a moment an alert fires this often. */
export interface AlertCase {
  readonly alert: string;
  readonly firing: number;
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly (AlertRule | RecordingRule)[] }[];
}

interface RuleTestFile {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
  }[];
}

/** All rules of a folder's rule files. */
export function readRules(folder: string): { alerts: AlertRule[]; recordings: RecordingRule[] } {
  const rules = yamlFiles(folder).flatMap((path) => readYaml<RuleFile>(path).groups.flatMap((group) => group.rules));
  return {
    alerts: rules.filter((rule) => "alert" in rule),
    recordings: rules.filter((rule) => "record" in rule),
  };
}

/** All cases of a folder's promtool tests. */
export function readAlertCases(folder: string): AlertCase[] {
  return yamlFiles(folder)
    .flatMap((path) => readYaml<RuleTestFile>(path).tests)
    .flatMap(({ alert_rule_test = [] }) => alert_rule_test)
    .map(({ alertname, exp_alerts = [] }) => ({ alert: alertname, firing: exp_alerts.length }));
}
