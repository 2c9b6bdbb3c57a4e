import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { ChunkRecord } from "@ragline/artifacts";
import type { BlockKind, SourceDocument } from "@ragline/documents";
import type { ChunkDocumentOptions } from "./chunk-options.js";
import type { Section } from "./section.js";

/** Names the rules by which chunks are cut; it changes when the same document would give other chunks. */
export const chunkerVersion = "ragline-1";

/** A chunk before its metadata. */
export interface ChunkSpan {
  readonly text: string;
  readonly tokens: number;
  /** The core in the document's text. */
  readonly start: number;
  readonly end: number;
  /** The innermost section that holds the whole core. */
  readonly section: Section;
  readonly kinds: ReadonlySet<BlockKind>;
}

const topTermCount = 20;
const keywordTermCount = 10;

/** The chunk record with the metadata of payload version 1.3. Nothing in it depends on the machine or the clock. */
export function describeChunk(
  document: SourceDocument,
  span: ChunkSpan,
  index: number,
  options: ChunkDocumentOptions,
): ChunkRecord {
  const { relativePath, extension, sha256 } = document;
  const { text, section } = span;
  const documentId = hash(`${relativePath}\n${sha256}`, 12);
  const filename = posix.basename(relativePath);
  const heading = section.path.at(-1) ?? "";
  const digest = hash(text, 16);
  const flags = contentFlags(span);
  const terms = sparseFeatures(text);
  return {
    text,
    metadata: {
      chunk_id: `${documentId}-${String(index).padStart(4, "0")}`,
      source_file: relativePath,
      filename,
      file_extension: extension,
      chunk_index: index,
      document_level: Math.max(1, section.path.length),
      section_path: section.path,
      heading_text: heading,
      token_count: span.tokens,
      char_count: text.length,
      start_char: span.start,
      end_char: span.end,
      chunking_strategy: "structure",
      content_type: contentType(span.kinds),
      document_id: documentId,
      document_name: filename.slice(0, filename.length - posix.extname(filename).length),
      relative_path: relativePath,
      hierarchy_path: section.path.join(" > "),
      chunk_hash: digest,
      content_digest: digest,
      payload_version: "1.3",
      ...(options.collection !== undefined && { collection_hints: [options.collection] }),
      ...(options.targetModel !== undefined && { target_model: options.targetModel }),
      chunker_version: chunkerVersion,
      chunk_size_tokens: options.maxTokens,
      chunk_overlap_tokens: options.overlapTokens ?? 0,
      sparse_features: terms,
      modal_hint: modalHint(span.kinds),
      content_flags: flags,
      search_keywords: [...new Set([...section.path, ...terms.top_terms.slice(0, keywordTermCount)])],
    },
  };
}

function hash(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

function contentType(kinds: ReadonlySet<BlockKind>): string {
  if (kinds.has("code")) return "code_block";
  if (kinds.has("table")) return "table_section";
  return kinds.has("list") ? "list_section" : "prose_section";
}

function modalHint(kinds: ReadonlySet<BlockKind>): string {
  if (kinds.has("code")) return "code";
  return kinds.has("table") ? "table" : "prose";
}

function contentFlags({ text, kinds }: ChunkSpan): Record<string, boolean> {
  return {
    has_code_block: kinds.has("code") || /^\s*(?:```|~~~)/m.test(text),
    has_table: kinds.has("table"),
    has_list: kinds.has("list"),
    has_json: /^\s*(?:```|~~~)json/m.test(text) || /^\s*[{[]\s*"[^"\n]*"\s*[:,]/m.test(text),
    has_formula: /\$\$|\\\(|\\\[|\\begin\{(?:equation|align|math)|\\frac\{/.test(text),
  };
}

/** Frequencies of the words of 3 letters or more, most frequent first, equally frequent ones in order of appearance. */
function sparseFeatures(text: string) {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]{3,64}/gu)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    total++;
  }
  const top = [...counts].sort(([, a], [, b]) => b - a).slice(0, topTermCount);
  return {
    version: "1.0",
    weighting: "tf-normalized",
    top_terms: top.map(([term]) => term),
    term_weights: top.map(([term, tf]) => ({ term, tf, weight: Number((tf / total).toFixed(6)) })),
    unique_terms: counts.size,
    total_terms: total,
  };
}
