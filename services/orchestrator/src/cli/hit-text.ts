import type { SearchHit } from "../core/search-session.js";

const excerptLength = 240;

/** The first of the keys that holds text. */
function firstText(metadata: SearchHit["metadata"], keys: readonly string[]): string {
  return keys.map((key) => metadata[key]).find((value) => typeof value === "string") ?? "";
}

function hitText({ rank, score, text, metadata, rerankScore, sources }: SearchHit): string {
  const sections = metadata["section_path"];
  const path = Array.isArray(sections) ? sections.join(" > ") : firstText(metadata, ["heading_text"]);
  const source = firstText(metadata, ["relative_path", "source_file", "filename", "document_id"]);
  const excerpt = text.replace(/\s+/g, " ").trim();
  const lists = Object.entries(sources).map(([name, { rank: at }]) => `${name} #${at}`);
  if (rerankScore !== undefined) lists.push(`CrossEncoder ${rerankScore.toFixed(2)}`);
  return [
    `${String(rank).padStart(2)}. ${source}${path ? `  ${path}` : ""}`,
    `    score ${score.toFixed(3)}  (${lists.join(", ")})`,
    `    ${excerpt.length > excerptLength ? `${excerpt.slice(0, excerptLength)}…` : excerpt}`,
  ].join("\n");
}

/** The answers of a search as a person reads them. */
export function hitsText(hits: readonly SearchHit[], hasFilters: boolean): string {
  if (hits.length > 0) return hits.map(hitText).join("\n\n");
  return hasFilters
    ? "Nothing found: no chunk that fits the filters shares a word with the query."
    : "Nothing found: no chunk shares a word with the query.";
}
