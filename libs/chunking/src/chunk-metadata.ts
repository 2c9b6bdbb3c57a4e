import { hash } from "node:crypto";
import { posix } from "node:path";
import type { ChunkRecord } from "@ragline/artifacts";
import { type BlockKind, type SourceDocument, SourceLocator } from "@ragline/documents";
import type { ChunkDocumentOptions } from "./chunk-options.js";
import type { ChunkSpan } from "./chunk-span.js";
import { qualityScores } from "./quality-scores.js";
import type { Section } from "./section.js";
import { countTerms, type TermCounts } from "./term-counts.js";

/** Names the rules by which chunks are cut; it changes when the same document would give other chunks. */
export const chunkerVersion = "ragline-4";

const keywordTermCount = 10;

/** A chunk as the chunker makes it. */
export interface ScoredChunk extends ChunkRecord {
  readonly advanced_scores: {
    readonly semantic: number;
    readonly structural: number;
    readonly retrieval_quality: number;
    readonly overall: number;
  };
}

/** Makes the records of a document's chunks. Nothing in them depends on the machine or the clock. */
export function describeChunks(
  document: SourceDocument,
  spans: readonly ChunkSpan[],
  options: ChunkDocumentOptions,
): ScoredChunk[] {
  const { relativePath, extension, sha256 } = document;
  const documentId = shortHash(`${relativePath}\n${sha256}`, 12);
  const filename = posix.basename(relativePath);
  const ofDocument = {
    source_file: relativePath,
    filename,
    file_extension: extension,
    document_id: documentId,
    document_name: filename.slice(0, filename.length - posix.extname(filename).length),
    relative_path: relativePath,
  };
  const ofOptions = {
    chunking_strategy: options.strategy ?? "structure",
    payload_version: "1.3",
    ...(options.collection !== undefined && { collection_hints: [options.collection] }),
    ...(options.targetModel !== undefined && { target_model: options.targetModel }),
    chunker_version: chunkerVersion,
    chunk_size_tokens: options.maxTokens,
  };
  const idOf = (index: number): string => `${documentId}-${String(index).padStart(4, "0")}`;
  const parents = parentsOf(spans);
  const children = childrenOf(parents);
  const contentIds = new ContentIds(relativePath);
  const locator = new SourceLocator(document);
  return spans.map((span, index) => {
    const { text, section } = span;
    const digest = shortHash(text, 16);
    const terms = countTerms(text);
    const scores = qualityScores(document.text, span, terms, options.maxTokens);
    const parent = parents[index];
    const kinds = new Set(span.blocks.map(({ kind }) => kind));
    return {
      text,
      metadata: {
        chunk_id: idOf(index),
        content_id: contentIds.next(digest),
        ...ofDocument,
        chunk_index: index,
        document_level: Math.max(1, section.path.length),
        parent_chunk_id: parent === undefined ? null : idOf(parent),
        child_chunk_ids: (children.get(index) ?? []).map(idOf),
        section_path: section.path,
        section_paths: span.sections.flatMap(({ path }) => (path.length > 0 ? [path] : [])),
        heading_text: section.path.at(-1) ?? "",
        hierarchy_path: section.path.join(" > "),
        token_count: span.tokens,
        char_count: text.length,
        start_char: span.start,
        end_char: span.end,
        core_offset: span.coreOffset,
        ...sourceOf(span, locator),
        semantic_score: scores.semantic,
        structural_score: scores.structural,
        retrieval_quality: scores.retrievalQuality,
        quality_flags: scores.flags,
        content_type: contentType(kinds),
        chunk_hash: digest,
        content_digest: digest,
        ...ofOptions,
        chunk_overlap_tokens: span.overlapTokens,
        sparse_features: sparseFeatures(terms),
        modal_hint: modalHint(kinds),
        content_flags: contentFlags(text, kinds),
        search_keywords: [...new Set([...section.path, ...terms.top.slice(0, keywordTermCount).map(([term]) => term)])],
      },
      advanced_scores: {
        semantic: scores.semantic,
        structural: scores.structural,
        retrieval_quality: scores.retrievalQuality,
        overall: scores.overall,
      },
    };
  });
}

/** Ids from what a chunk says and the file it is in: edits elsewhere in the file leave them as they are. */
class ContentIds {
  readonly #relativePath: string;
  readonly #occurrences = new Map<string, number>();

  constructor(relativePath: string) {
    this.#relativePath = relativePath;
  }

  /** Chunks of the same text are told apart by their order. */
  next(digest: string): string {
    const occurrence = this.#occurrences.get(digest) ?? 0;
    this.#occurrences.set(digest, occurrence + 1);
    return shortHash(`${this.#relativePath}\n${digest}\n${occurrence}`, 16);
  }
}

/** For each chunk the first one of its innermost section, or of the section around that where it is the first itself. */
function parentsOf(spans: readonly ChunkSpan[]): (number | undefined)[] {
  const firstOf = new Map<Section, number>();
  return spans.map(({ section, sections }, index) => {
    for (const begun of sections) {
      for (let at: Section | undefined = begun; at !== undefined && !firstOf.has(at); at = at.parent)
        firstOf.set(at, index);
    }
    for (let at: Section | undefined = section; at?.heading !== undefined; at = at.parent) {
      const first = firstOf.get(at);
      if (first !== index) return first;
    }
    return undefined;
  });
}

function childrenOf(parents: readonly (number | undefined)[]): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const [child, parent] of parents.entries()) {
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [child]);
    else siblings.push(child);
  }
  return children;
}

/** Bytes and lines of the core in its file, or the page, slide, sheet, cell or part that it begins in. */
function sourceOf({ start, end, blocks }: ChunkSpan, locator: SourceLocator): Record<string, unknown> {
  const location = locator.locate(start, end);
  const reference = blocks[0]?.source;
  return {
    ...(location && {
      start_byte: location.startByte,
      end_byte: location.endByte,
      start_line: location.firstLine,
      end_line: location.lastLine,
    }),
    ...(reference && { source_reference: reference }),
  };
}

function shortHash(text: string, length: number): string {
  return hash("sha256", text, "hex").slice(0, length);
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

function contentFlags(text: string, kinds: ReadonlySet<BlockKind>): Record<string, boolean> {
  return {
    has_code_block: kinds.has("code") || /^[ \t]*(?:```|~~~)/m.test(text),
    has_table: kinds.has("table"),
    has_list: kinds.has("list"),
    has_json: /^[ \t]*(?:```|~~~)json/m.test(text) || /^[ \t]*[{[]\s*"[^"\n]*"\s*[:,]/m.test(text),
    has_formula: kinds.has("formula") || /\$\$|\\\(|\\\[|\\begin\{(?:equation|align|math)|\\frac\{/.test(text),
  };
}

function sparseFeatures({ top, unique, total }: TermCounts) {
  // Many terms come equally often.
  const weights = new Map<number, number>();
  const weightOf = (tf: number): number => {
    const weight = weights.get(tf) ?? Number((tf / total).toFixed(6));
    weights.set(tf, weight);
    return weight;
  };
  return {
    version: "1.0",
    weighting: "tf-normalized",
    top_terms: top.map(([term]) => term),
    term_weights: top.map(([term, tf]) => ({ term, tf, weight: weightOf(tf) })),
    unique_terms: unique,
    total_terms: total,
  };
}
