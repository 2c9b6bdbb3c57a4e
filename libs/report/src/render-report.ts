import { reportMark } from "@ragline/artifacts";
import { anomalySection } from "./anomaly-section.js";
import { batchSection } from "./batch-section.js";
import { configSection } from "./config-section.js";
import { deviceSection } from "./device-section.js";
import { figures, type Section } from "./elements.js";
import { fileSection } from "./file-section.js";
import { number, seconds } from "./format.js";
import { Html, html } from "./html.js";
import { lengthSection } from "./length-section.js";
import { mapSection } from "./map-section.js";
import { outcomeSection } from "./outcome-section.js";
import { qualitySection } from "./quality-section.js";
import type { ReportContent } from "./report-content.js";
import { sourceSection } from "./source-section.js";
import { stageSection } from "./stage-section.js";
import { style } from "./style.js";
import { timelineSection } from "./timeline-section.js";

// No script, no request: also whatever a document's text might smuggle in is refused by the browser itself.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

function sectionHtml({ id, title, content }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${content}</section>
`;
}

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
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="ragline ${manifest.versions?.["ragline"] ?? ""}">
${new Html(reportMark(manifest.manifest_sha256))}
<title>${manifest.collection}: Ragline report</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${manifest.collection}</h1>
<p>Ragline run of ${manifest.generated_at ?? "an unknown time"}: ${state}. Dense models: ${dimension}.</p>
${figures([
  ["chunks", number(manifest.chunk_count)],
  ["time of the stages", seconds(stageSeconds(manifest))],
  ["documents", number(content.chunks.documents.length)],
  ["degradations", number(degraded)],
])}<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(sectionHtml)}</main>
<footer><p class="note">Run ${manifest.run_id ?? ""}, trace ${manifest.trace_id ?? ""}, Ragline ${manifest.versions?.["ragline"] ?? ""}, Node ${manifest.versions?.["node"] ?? ""}, ${manifest.versions?.["runtime"] ?? ""}. Drawn from the manifest and the files beside this page.</p></footer>
</body>
</html>
`;
  return page.markup;
}
