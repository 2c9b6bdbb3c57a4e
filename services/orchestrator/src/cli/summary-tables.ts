import { dirname } from "node:path";
import type { DeviceRow } from "../core/device-report.js";
import type { CollectionSummary, RunSummary, StageRow } from "../core/run-summary.js";
import { anomalyText, auditText } from "./audit-text.js";
import { newTable } from "./new-table.js";

const dash = "-";
const fixed = (value: number, digits: number): string => value.toFixed(digits);
const percent = (share: number | null): string => (share === null ? dash : `${fixed(share * 100, 1)} %`);
const compactBytes = new Intl.NumberFormat("en", {
  style: "unit",
  unit: "byte",
  notation: "compact",
  unitDisplay: "narrow",
  maximumFractionDigits: 1,
});
const megabytes = (bytes: number): string => (bytes > 0 ? `${Math.round(bytes / 1e6)} MB` : dash);

function stageTable(rows: readonly StageRow[]): string {
  const table = newTable(
    ["stage", "model", "items", "seconds", "items/s", "batches", "size", "memory", "coverage", "fallbacks"],
    ["left", "left", "right", "right", "right", "right", "right", "right", "right", "right"],
  );
  for (const row of rows) {
    const model = row.model === "" ? dash : `${row.model}${row.precision ? ` (${row.precision})` : ""}`;
    table.push([
      row.stage,
      model,
      `${row.items} ${row.unit}`,
      fixed(row.seconds, 2),
      fixed(row.itemsPerSecond, 1),
      row.batches || dash,
      row.batches ? fixed(row.batchSize, 1) : dash,
      megabytes(row.peakBytes),
      percent(row.coverage),
      row.fallbacks,
    ]);
  }
  return table.toString();
}

function deviceTable(rows: readonly DeviceRow[]): string {
  const table = newTable(
    ["device", "leases", "waited", "largest lease", "peak", "cap", "over soft limit"],
    ["left", "right", "right", "right", "right", "right", "right"],
  );
  for (const row of rows)
    table.push([
      row.device,
      row.leases,
      `${fixed(row.waitSeconds, 1)} s`,
      megabytes(row.grantedBytes),
      megabytes(row.peakBytes),
      megabytes(row.capBytes),
      row.softLimitCrossings === 0 ? dash : `${row.softLimitCrossings} x`,
    ]);
  return table.toString();
}

const maxSkippedShown = 20;

function collectionText(summary: CollectionSummary, stageReport: boolean): string {
  const { collection, chunks, selfAudit, anomalies, warnings, outputDir, files, manifest, report, skippedInputs } =
    summary;
  const parts = [`\nCollection ${collection}: ${chunks} chunks`];
  if (stageReport) parts.push(stageTable(summary.stages));
  if (stageReport && summary.devices?.length > 0) parts.push(deviceTable(summary.devices));
  if (selfAudit.length > 0) parts.push(auditText(summary));
  if (anomalies?.length > 0) parts.push(anomalyText(anomalies));
  if (warnings.length > 0)
    parts.push(
      `Warnings:\n${warnings.map(({ stage, detail, degraded }) => `  ${stage}${degraded ? ", degraded" : ""}: ${detail}`).join("\n")}`,
    );
  if (skippedInputs.length > 0) {
    const otherKinds = skippedInputs.filter(({ reason }) => reason === "unsupported").length;
    const shown = skippedInputs
      .filter(({ reason }) => reason !== "unsupported")
      .slice(0, maxSkippedShown)
      .map(({ message }) => `  ${message}`);
    const rest = skippedInputs.length - otherKinds - shown.length;
    if (rest > 0) shown.push(`  and ${rest} more, see skipped_inputs in the manifest`);
    if (otherKinds > 0)
      shown.push(`  ${otherKinds} files of kinds that are not read, see skipped_inputs in the manifest`);
    parts.push(`Skipped inputs:\n${shown.join("\n")}`);
  }
  parts.push(
    `Artifacts in ${outputDir}:\n${files.map(({ name, bytes }) => `  ${name}  ${compactBytes.format(bytes)}`).join("\n")}\n  ${manifest}  (manifest)${report ? `\n  ${report}  (report: open it in a browser)` : ""}`,
  );
  return parts.join("\n");
}

/** The flags that point at a run's artifacts. */
function runFlags(summary: CollectionSummary | undefined): string {
  if (!summary) return "";
  const { outputDir, manifest } = summary;
  return `--run ${outputDir}${dirname(manifest) === outputDir ? "" : ` --summary-path ${manifest}`}`;
}

/** What a person reads at the end of a run; `stageReport` is the table of the stages. */
export function summaryText(summary: RunSummary, stageReport: boolean): string {
  const { collections, seconds, traceId, runId, degraded } = summary;
  return [
    ...collections.map((collection) => collectionText(collection, stageReport)),
    "",
    `Done in ${fixed(seconds, 1)} s${degraded ? ", degraded (see the warnings)" : ""}. Run ${runId}, trace ${traceId}`,
    `Send it to Qdrant: npx ragline upload --run ${collections[0]?.outputDir ?? ""} --url http://127.0.0.1:6333`,
    `Ask it something: npx ragline search "your question" ${runFlags(collections[0])}`,
  ].join("\n");
}
