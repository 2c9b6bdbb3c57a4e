import { createHash } from "node:crypto";
import { headingQuery } from "./heading-query.js";
import { comparedWords, textKey } from "./near-duplicates.js";
import { isSameSection, type SectionPlace } from "./section-chunks.js";
import { sentenceQuery } from "./sentence-query.js";
import { StratifiedChoice, type Stratum } from "./stratified-choice.js";

/** A chunk as the audit sees it. */
export interface AuditChunk {
  /** Row number in the corpus. */
  readonly row: number;
  readonly text: string;
  /** The sections that it has parts of, the one that holds it first, each as the titles down to it; none make the root. */
  readonly sections: readonly (readonly string[])[];
  /** Where it comes from; asked for of the few chunks alone that may become queries. */
  readonly stratum: () => Stratum;
}

/** A query made from a chunk, whose right answer is that chunk. */
export interface AuditQuery extends Stratum, SectionPlace {
  /** What the query was made from. */
  readonly kind: "heading" | "sentence";
  readonly text: string;
  /** Row of the right answer. */
  readonly row: number;
}

/** How many queries to make. */
export interface AuditSamplerOptions {
  /** Most queries of both kinds together. @default 64 */
  readonly limit?: number;
}

/** Possible queries kept for each one asked for: most headings of some corpora repeat, and repeated ones are dropped. */
const reserve = 16;

/**
 * Makes known-item queries from a stream of chunks, about half of them headings that exactly one section has, half of them
 * first sentences that exactly one chunk has; several chunks of the same text count as one. Candidates are a uniform sample that depends on the texts alone,
 * not on the machine: those whose sha256 is smallest. Of these the queries are spread over documents and content types.
 * Memory does not grow with the corpus.
 */
export class AuditSampler {
  readonly #limit: number;
  readonly #headings: DistinctSample;
  readonly #sentences: DistinctSample;

  /** @throws RangeError when the limit is not a positive integer. */
  constructor(options: AuditSamplerOptions = {}) {
    const limit = options.limit ?? 64;
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError(`the limit of audit queries is ${limit}; it must be a positive integer`);
    }
    this.#limit = limit;
    this.#headings = new DistinctSample("heading", limit * reserve);
    this.#sentences = new DistinctSample("sentence", limit * reserve);
  }

  /** Looks at one chunk; each is to be added once, in any order. */
  add(chunk: AuditChunk): void {
    const own = chunk.sections[0] ?? [];
    // The section that holds the chunk stands mostly among those that it has parts of as well.
    const titles = new Set<string>();
    for (const section of chunk.sections) {
      const title = section.at(-1) ?? "";
      if (titles.has(title)) continue;
      titles.add(title);
      const heading = headingQuery(title);
      if (heading !== undefined) this.#headings.add(heading, chunk, section, section === own);
    }
    const sentence = sentenceQuery(chunk.text, own.at(-1) ?? "");
    if (sentence !== undefined) this.#sentences.add(sentence, chunk, own);
  }

  /** The queries made from all chunks added so far, by row. One kind fills up where the other falls short. */
  queries(): AuditQuery[] {
    const headings = this.#headings.unique();
    const sentences = this.#sentences.unique();
    const fromHeadings = Math.max(Math.ceil(this.#limit / 2), this.#limit - sentences.length);
    const choice = new StratifiedChoice();
    const chosen = choice.take(headings, fromHeadings);
    return [...chosen, ...choice.take(sentences, this.#limit - chosen.length)].sort(
      (a, b) => a.row - b.row || (a.kind < b.kind ? -1 : 1),
    );
  }
}

interface Entry {
  readonly hash: string;
  /** Absent for a heading as long as no chunk was found that stands in its section. */
  query: AuditQuery | undefined;
  readonly place: SectionPlace;
  /** Of the chunk's text. */
  readonly textKey: number;
  /** Whether a chunk of another text has it, too, and in the case of a heading as that of another section. */
  repeated: boolean;
}

/**
 * The distinct texts with the smallest hashes. One that ends among them was among them ever since it first came, so
 * whether it came again is known exactly.
 */
class DistinctSample {
  readonly #kind: AuditQuery["kind"];
  readonly #size: number;
  readonly #entries = new Map<string, Entry>();
  #largest = "";

  constructor(kind: AuditQuery["kind"], size: number) {
    this.#kind = kind;
    this.#size = size;
  }

  /** @param asks whether the text may become a query whose answer is this chunk. */
  add(text: string, chunk: AuditChunk, section: readonly string[], asks = true): void {
    const hash = createHash("sha256").update(`${this.#kind}\n${text.toLowerCase()}`).digest("hex");
    const known = this.#entries.get(hash);
    if (known !== undefined) {
      const isSame =
        textKey(comparedWords(chunk.text)) === known.textKey ||
        (this.#kind === "heading" && isSameSection(known.place, { document: chunk.stratum().document, section }));
      if (!isSame) known.repeated = true;
      else if (asks) known.query ??= this.#query(text, chunk.row, chunk.stratum(), section);
      return;
    }
    if (this.#entries.size >= 2 * this.#size) this.#shrink();
    if (this.#largest !== "" && hash > this.#largest) return;
    const stratum = chunk.stratum();
    this.#entries.set(hash, {
      hash,
      query: asks ? this.#query(text, chunk.row, stratum, section) : undefined,
      place: { document: stratum.document, section },
      textKey: textKey(comparedWords(chunk.text)),
      repeated: false,
    });
  }

  #query(text: string, row: number, { document, contentType }: Stratum, section: readonly string[]): AuditQuery {
    return { kind: this.#kind, text, row, document, contentType, section };
  }

  /** Texts of one chunk or section alone, in the order of their hashes. */
  unique(): AuditQuery[] {
    return this.#sorted().flatMap(({ query, repeated }) => (query !== undefined && !repeated ? [query] : []));
  }

  #sorted(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => (a.hash < b.hash ? -1 : 1)).slice(0, this.#size);
  }

  /** Drops the larger half. Done once for every `size` new texts, this costs less than a heap with look-up. */
  #shrink(): void {
    const kept = this.#sorted();
    this.#entries.clear();
    for (const entry of kept) this.#entries.set(entry.hash, entry);
    this.#largest = kept.at(-1)?.hash ?? "";
  }
}
