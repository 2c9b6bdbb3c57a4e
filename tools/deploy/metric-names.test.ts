import { readFileSync } from "node:fs";
import { Metrics } from "@ragline/telemetry";
import { beforeAll, describe, expect, test } from "vitest";
import { type KnownSeries, otherSeries, ownSeries, recordedSeries, unknownNames } from "./metric-names.js";
import { readRules } from "./rule-files.js";

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

const dashboard = JSON.parse(readFileSync("deploy/grafana/dashboards/ragline.json", "utf8")) as Dashboard;
const { alerts, recordings } = readRules("deploy/prometheus/rules");
let known: KnownSeries;

beforeAll(async () => {
  const metrics = new Metrics({ service: "dense" });
  await metrics.open();
  await metrics.watchProcess();
  known = new Map([...ownSeries(), ...recordedSeries(recordings), ...otherSeries(await metrics.text())]);
});

// Grafana puts a duration for this variable.
const asPrometheus = (query: string) => query.replaceAll("$__rate_interval", "1m");

test.each([
  ["sum by (stage) (rag_oom_total)", []],
  ["rag_nothing", ["nothing writes rag_nothing"]],
  ['rag_oom_total{device="x"}', ["rag_oom_total has no label device"]],
  ["sum by (device) (rag_oom_total)", ["no series of sum by (device) (rag_oom_total) has a label device"]],
  ["rag_batch_size", ["nothing writes rag_batch_size"]],
  ["job:rag_dense_latency_seconds:p95_5m", []],
])("%s: %j", (query, expected) => {
  expect(unknownNames(query, known)).toEqual(expected);
});

test.each([...alerts.map((rule) => [rule.alert, rule.expr]), ...recordings.map((rule) => [rule.record, rule.expr])])(
  "rule %s reads what services write",
  (_name, query) => {
    expect(unknownNames(query ?? "", known)).toEqual([]);
  },
);

describe("dashboard", () => {
  const queries = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr]));

  test.each(queries)("panel %s reads what services write", (_title, query) => {
    expect(unknownNames(asPrometheus(query ?? ""), known)).toEqual([]);
  });

  test("annotations read what Prometheus writes", () => {
    for (const { expr } of dashboard.annotations.list) expect(unknownNames(expr, known)).toEqual([]);
  });

  test("has a row for each question of an operator, and every panel says what it shows", () => {
    const rows = dashboard.panels.filter(({ type }) => type === "row").map(({ title }) => title);
    expect(rows).toEqual(["Run overview", "Stages", "GPU and leases", "Quality", "Errors"]);
    const panels = dashboard.panels.filter(({ type }) => type !== "row");
    for (const { title, description } of panels) expect(description, title).toMatch(/\.$/);
  });

  test("shows every metric of Ragline, itself or through a recording rule", () => {
    const read = [...queries.map(([, query]) => query), ...recordings.map(({ expr }) => expr)].join(" ");
    const names = [...ownSeries().keys()].map((name) => name.replace(/_(bucket|sum|count)$/, ""));
    expect([...new Set(names)].filter((name) => !read.includes(name))).toEqual([]);
  });
});
