import { barChart } from "./bar-chart.js";
import { details, figures, type Section, table } from "./elements.js";
import { bytes, number, percent } from "./format.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

/** What became of every character of the documents, by reason: in chunks, blank, then the rest by size. */
function characterShares(coverage: Readonly<Record<string, unknown>>): { reason: string; characters: number }[] {
  const byReason = coverage["characters_by_reason"];
  const counts =
    typeof byReason === "object" && byReason !== null
      ? byReason
      : { core: coverage["core"], blank: coverage["blank"], skipped: coverage["skipped"] };
  const place = ({ reason }: { reason: string }): number => (reason === "core" ? 0 : reason === "blank" ? 1 : 2);
  return Object.entries(counts as Readonly<Record<string, unknown>>)
    .flatMap(([reason, characters]) => (typeof characters === "number" ? [{ reason, characters }] : []))
    .sort((a, b) => place(a) - place(b) || b.characters - a.characters);
}

const meanings: Readonly<Record<string, string>> = { core: "in chunks", blank: "blank" };

/** Which documents there were, and how much of them is in chunks. */
export function sourceSection({ manifest, chunks, stats }: ReportContent): Section {
  const { coverage, inputs = [], skipped_inputs: skipped = [] } = manifest;
  const shares = coverage ? characterShares(coverage) : [];
  const all = shares.reduce((sum, { characters }) => sum + characters, 0);
  const inputBytes = inputs.reduce((sum, input) => sum + (input.bytes ?? 0), 0);
  const bars = shares.map(({ reason, characters }) => ({
    label: meanings[reason] ?? reason.replaceAll("_", " "),
    to: all > 0 ? (characters / all) * 100 : 0,
    text: percent(all > 0 ? characters / all : undefined),
    colour: reason === "core" ? 0 : reason === "blank" ? 1 : 2,
  }));
  const documentBars = chunks.documents
    .slice(0, 12)
    .map(([label, count]) => ({ label, to: count, text: number(count) }));
  return {
    id: "sources",
    title: "Sources and their coverage",
    content: html`${figures([
      ["input files", number(inputs.length)],
      ["size", bytes(inputBytes)],
      ["skipped", number(skipped.length)],
      ["chunks", number(manifest.chunk_count)],
      ["characters in chunks", number(stats.text_characters.total)],
    ])}${
      bars.length > 0
        ? html`<h3>Where the documents' characters are</h3>
${barChart(bars, { label: "Share of the documents' characters by what became of them", axis: "percent of all characters", max: 100 })}
${details(
  "Coverage as a table",
  table(
    shares.map(({ reason, characters }) => [
      meanings[reason] ?? reason.replaceAll("_", " "),
      characters,
      percent(characters / all),
    ]),
    { caption: "Characters by what became of them", head: ["what became of them", "characters", "share"] },
  ),
)}`
        : undefined
    }<h3>Chunks by document</h3>
${barChart(documentBars, { label: "Documents with most chunks", axis: `chunks; ${number(documentBars.length)} of ${number(chunks.documents.length)} documents` })}
${details(
  "Documents as a table",
  table(chunks.documents, { caption: "Chunks by document", head: ["document", "chunks"] }),
)}${
  inputs.length > 0
    ? details(
        "Input files as a table",
        table(
          inputs.map(({ path, sha256, bytes: size, chunks: made }) => [
            path,
            sha256 ?? "",
            bytes(size),
            typeof made === "number" ? made : undefined,
          ]),
          { caption: "Input files", head: ["path", "SHA-256", "size", "chunks"], textColumns: 2 },
        ),
      )
    : undefined
}${
  skipped.length > 0
    ? details(
        "Skipped inputs as a table",
        table(
          skipped.map(({ path, reason, message }) => [path, reason, typeof message === "string" ? message : ""]),
          { caption: "Skipped inputs", head: ["path", "reason", "message"], textColumns: 3 },
        ),
      )
    : undefined
}`,
  };
}
