import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { hasPromtool } from "./check-metrics.js";
import { brokenLink } from "./markdown-anchors.js";
import { readQuery } from "./promql.js";
import { readAlertCases, readRules } from "./rule-files.js";
import { yamlFiles } from "./yaml-files.js";

const folder = "deploy/prometheus";
const { alerts, recordings } = readRules(`${folder}/rules`);
const cases = readAlertCases(`${folder}/tests`);

describe.each(alerts.map((rule) => [rule.alert, rule] as const))("%s", (name, { labels, annotations }) => {
  test("has a case in which it fires and one in which it does not", () => {
    const own = cases.filter(({ alert }) => alert === name);
    expect(own.some(({ firing }) => firing > 0)).toBe(true);
    expect(own.some(({ firing }) => firing === 0)).toBe(true);
  });

  test("says how severe it is, what happened and where to read on", () => {
    expect(labels["severity"]).toMatch(/^(info|warning|critical)$/);
    expect(Object.keys(annotations).sort()).toEqual(["description", "runbook", "summary"]);
    expect(brokenLink(annotations["runbook"] ?? "")).toBeUndefined();
    expect(annotations["runbook"]).toMatch(new RegExp(`#${name.toLowerCase()}$`));
  });
});

test("no alert is defined twice, and no test is of one that does not exist", () => {
  const names = alerts.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
  expect(cases.filter(({ alert }) => !names.includes(alert))).toEqual([]);
});

test("every query can be read, and what it reads of recorded series is recorded", () => {
  const recorded = new Set(recordings.map(({ record }) => record));
  const read = [...alerts, ...recordings].flatMap(({ expr }) => readQuery(expr).selectors);
  expect(read.length).toBeGreaterThan(alerts.length);
  expect(read.filter(({ metric }) => metric.includes(":") && !recorded.has(metric))).toEqual([]);
});

if (!hasPromtool()) console.warn("promtool is not installed (Debian: package prometheus): its checks are skipped");

test.skipIf(!hasPromtool()).each([
  ["check", "config", `${folder}/prometheus.yml`],
  ["check", "rules", ...yamlFiles(`${folder}/rules`)],
  ["test", "rules", ...yamlFiles(`${folder}/tests`)],
])("promtool %s %s", (...args) => {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
  expect(`${stdout}${stderr}`).not.toMatch(/FAILED|error/i);
  expect(status).toBe(0);
});
