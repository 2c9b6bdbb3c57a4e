import { reportMark } from "@ragline/artifacts";
import { anomalySection } from "./anomaly-section.js";
import { batchSection } from "./batch-section.js";
import { configSection } from "./config-section.js";
import { deviceSection } from "./device-section.js";
import { figures } from "./elements.js";
import { fileSection } from "./file-section.js";
import { number, seconds } from "./format.js";
import { html } from "./html.js";
import { lengthSection } from "./length-section.js";
import { mapSection } from "./map-section.js";
import { outcomeSection } from "./outcome-section.js";
import { qualitySection } from "./quality-section.js";
import { renderPage } from "./render-page.js";
import type { ReportContent } from "./report-content.js";
import { sourceSection } from "./source-section.js";
import { stageSection } from "./stage-section.js";
import { timelineSection } from "./timeline-section.js";

/** From the start of the first stage to the end of the last; their sum where a manifest does not tell when they were. */
function stageSeconds({ stages = {} }: ReportContent["manifest"]): number {
  const all = Object.values(stages);
  const ends = all.flatMap(({ end_seconds: end }) => end ?? []);
  return ends.length > 0 ? Math.max(...ends) : all.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0);
}

/** The whole page. The same content gives the same bytes. */
export function renderReport(content: ReportContent): string {
  const { manifest } = content;
  const sections = [
    outcomeSection(content),
    qualitySection(content),
    anomalySection(content),
    stageSection(content),
    timelineSection(content),
    deviceSection(content),
    batchSection(content),
    sourceSection(content),
    lengthSection(content),
    mapSection(content),
    configSection(content),
    fileSection(content),
  ];
  const outcomes = manifest.outcomes ?? [];
  const degraded = outcomes.filter((outcome) => outcome.degraded).length;
  const state = degraded > 0 ? html`<span class="bad">degraded</span>` : html`as asked`;
  const dimension = content.stats.dense.map((space) => `${space.name} (${space.dimension})`).join(", ");
  return renderPage({
    title: `${manifest.collection}: Ragline report`,
    heading: manifest.collection,
    version: manifest.versions?.["ragline"] ?? "",
    mark: reportMark(manifest.manifest_sha256),
    intro: html`<p>Ragline run of ${manifest.generated_at ?? "an unknown time"}: ${state}. Dense models: ${dimension}.</p>
${figures([
  ["chunks", number(manifest.chunk_count)],
  ["time of the stages", seconds(stageSeconds(manifest))],
  ["documents", number(content.chunks.documents.length)],
  ["degradations", number(degraded)],
])}`,
    sections,
    footer: `Run ${manifest.run_id ?? ""}, trace ${manifest.trace_id ?? ""}, Ragline ${manifest.versions?.["ragline"] ?? ""}, Node ${manifest.versions?.["node"] ?? ""}, ${manifest.versions?.["runtime"] ?? ""}. Drawn from the manifest and the files beside this page.`,
  });
}
