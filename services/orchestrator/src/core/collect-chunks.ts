import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { ArtifactError, pointIds, readChunkFile, sha256File } from "@ragline/artifacts";
import { type ChunkFilesOptions, chunkInputs, type Ledger, type LedgerCounts, sumLedgers } from "@ragline/chunking";
import { OutcomeReason, Stage } from "@ragline/contracts";
import { AuditSampler } from "@ragline/evaluation";
import { chunkOptions } from "./chunk-options.js";
import { originOf } from "./chunk-origin.js";
import type { ChunkSpool } from "./chunk-spool.js";
import type { PlannedCollection } from "./plan-collections.js";
import type { RunContext } from "./run-context.js";
import { SentenceEmbedder } from "./sentence-embedder.js";
import { usageError } from "./usage-error.js";
import { report } from "./with-stage.js";

/** A source file as the manifest lists it. */
export interface InputFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly chunks: number;
  /** What its bytes were decoded by, where that was not UTF-8. */
  readonly encoding?: string;
  /** Bytes of a document by what became of them; absent for chunk files, whose documents are not at hand. */
  readonly ledger?: LedgerCounts;
}

/** A source file, or a record of one, that was passed over. */
export interface SkippedInput {
  readonly path: string;
  readonly reason: string;
  readonly message: string;
}

/** The chunks of a collection, on disk, with what is known of their sources. */
export interface CollectedChunks {
  readonly chunks: ChunkSpool;
  readonly audit: AuditSampler;
  readonly inputs: readonly InputFile[];
  readonly skipped: readonly SkippedInput[];
  /** Where every byte of the documents went; absent for chunk files. */
  readonly ledger?: Ledger;
}

// Chunk files are streamed, so their size costs time, not memory.
const maxChunkFileBytes = 64 * 1024 ** 3;
// A chunk is a passage, not a book: a text beyond this is a mistake in its file, and would not fit into a message.
const maxChunkCharacters = 8_000_000;

// Files of other kinds, and those with nothing in them, leave no content out.
const harmless = new Set(["unsupported", "empty", "blank"]);

/** Whether an input that was skipped for this reason leaves no content out. */
export function isHarmless(reason: string): boolean {
  return harmless.has(reason);
}

/** What is kept of a chunk, and what is told by its metadata. */
interface CollectedChunk {
  readonly text: string;
  readonly metadataJson: string;
  readonly sections: readonly (readonly string[])[];
  readonly chunkId?: string;
}

const asString = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Gathers a collection's chunks, one at a time. */
class Collector {
  readonly inputs: InputFile[] = [];
  readonly skipped: SkippedInput[] = [];
  readonly audit: AuditSampler;
  readonly #chunks: ChunkSpool;
  readonly #idOf: (text: string) => string;
  // Hashes instead of ids: six bytes tell a million ids apart and cost a fifth of the memory.
  readonly #chunkIds = new Set<number>();
  #repeatedIds = 0;
  #firstRepeatedId = "";
  readonly #context: RunContext;

  constructor(context: RunContext, collection: string, chunks: ChunkSpool) {
    this.#context = context;
    this.#chunks = chunks;
    this.#idOf = pointIds(collection);
    this.audit = new AuditSampler({ limit: Math.max(1, context.settings.auditQueries) });
  }

  async add({ text, metadataJson, sections, chunkId }: CollectedChunk): Promise<boolean> {
    if (text.length > maxChunkCharacters) return false;
    if (chunkId !== undefined) this.#countId(chunkId);
    const stratum = () => originOf(JSON.parse(metadataJson) as Record<string, unknown>);
    this.audit.add({ row: this.#chunks.count, text, sections, stratum });
    await this.#chunks.add({ id: this.#idOf(text), text, metadataJson });
    return true;
  }

  skip(skipped: SkippedInput): void {
    this.skipped.push(skipped);
  }

  #countId(chunkId: string): void {
    const hash = createHash("sha1").update(chunkId).digest().readUIntBE(0, 6);
    if (this.#chunkIds.has(hash)) {
      this.#repeatedIds++;
      this.#firstRepeatedId ||= chunkId;
    }
    this.#chunkIds.add(hash);
  }

  /** Tells that chunk ids were given twice; points are told apart by content, so nothing is lost. */
  reportRepeatedIds(): void {
    if (this.#repeatedIds === 0) return;
    report(this.#context, {
      stage: Stage.CHUNK,
      reason: OutcomeReason.DUPLICATE_ID,
      count: BigInt(this.#repeatedIds),
      detail: `${this.#repeatedIds} chunks have a chunk_id that an earlier one has, the first of them "${this.#firstRepeatedId}"; all were kept, but readers that go by chunk_id will mix them up`,
    });
  }

  /** Tells what was passed over, one outcome for each reason. */
  reportSkipped(): void {
    for (const reason of new Set(this.skipped.map((skipped) => skipped.reason))) {
      // Files of other kinds are in most directories; they are listed in the manifest and are nobody's mistake.
      if (reason === "unsupported") continue;
      const of = this.skipped.filter((skipped) => skipped.reason === reason);
      const more = of.length > 1 ? `${of.length} inputs were skipped (${reason}), the first because: ` : "";
      const degraded = !isHarmless(reason);
      report(this.#context, {
        stage: Stage.CHUNK,
        reason: OutcomeReason.INPUT_SKIPPED,
        count: BigInt(of.length),
        detail: `${more}${of[0]?.message}`,
        degraded,
      });
    }
  }
}

async function collectDocuments(
  context: RunContext,
  collection: string,
  documents: readonly string[],
  collector: Collector,
): Promise<Ledger> {
  const ledgers: Ledger[] = [];
  const { settings, signal } = context;
  const embedder = settings.chunkStrategy === "semantic" ? new SentenceEmbedder(context, collection) : undefined;
  const options: ChunkFilesOptions = {
    ...(await chunkOptions(settings, collection, signal)),
    signal,
    ...(embedder ? { embed: (texts) => embedder.embed(texts) } : {}),
  };
  try {
    for await (const event of chunkInputs(documents, options)) {
      if (event.type === "chunk") {
        await collector.add(event.chunk);
      } else if (event.type === "skipped") {
        collector.skip({ path: event.path, reason: event.reason, message: event.message });
      } else {
        const { relativePath, sha256, chunks, ledger, encoding = "utf-8" } = event;
        const told = encoding === "utf-8" ? {} : { encoding };
        const { bytes, byteCounts } = ledger;
        collector.inputs.push({ path: relativePath, bytes, sha256, chunks, ...told, ledger: byteCounts });
        ledgers.push(ledger);
      }
    }
  } finally {
    await embedder?.close();
  }
  return sumLedgers(ledgers);
}

async function collectChunkFiles(context: RunContext, files: readonly string[], collector: Collector): Promise<void> {
  for (const path of files) {
    context.signal.throwIfAborted();
    let chunks = 0;
    try {
      const skipRecord = ({ position, reason }: { position: number; reason: string }) =>
        collector.skip({ path, reason: "blank", message: `${path}, record ${position}: ${reason}` });
      for await (const record of readChunkFile(path, { onSkipped: skipRecord, maxBytes: maxChunkFileBytes })) {
        const { text, metadata } = record;
        const chunkId = asString(metadata["chunk_id"]);
        const chunk = {
          text,
          metadataJson: JSON.stringify(metadata),
          sections: originOf(metadata).sections,
          ...(chunkId === undefined ? {} : { chunkId }),
        };
        if (await collector.add(chunk)) chunks++;
        else
          collector.skip({
            path,
            reason: "too_large",
            message: `${path}: a chunk of ${record.text.length} characters is longer than the ${maxChunkCharacters} that are read; split it`,
          });
      }
      const { size } = await stat(path);
      collector.inputs.push({
        path: relative(dirname(dirname(path)), path),
        bytes: size,
        sha256: await sha256File(path),
        chunks,
      });
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error;
      collector.skip({ path, reason: error.reason.toLowerCase(), message: error.message });
    }
  }
}

/**
 * Reads a collection's sources to the end: chunks go to the spool, which can be read meanwhile; a file that cannot be read
 * is recorded and the others go on. When this fails, so does the spool.
 * @throws RaglineError INVALID_ARGUMENT when not one chunk came out.
 */
export async function collectChunks(
  context: RunContext,
  planned: PlannedCollection,
  chunks: ChunkSpool,
): Promise<CollectedChunks> {
  try {
    return await collect(context, planned, chunks);
  } catch (error) {
    chunks.fail(error);
    throw error;
  }
}

async function collect(context: RunContext, planned: PlannedCollection, chunks: ChunkSpool): Promise<CollectedChunks> {
  const startedAt = performance.now();
  const { emit } = context;
  const { name: collection, source } = planned;
  const collector = new Collector(context, collection, chunks);
  emit({ case: "stageStarted", value: { collection, stage: Stage.CHUNK, unit: "chunks" } });
  const ledger =
    "documents" in source ? await collectDocuments(context, collection, source.documents, collector) : undefined;
  if ("chunkFiles" in source) await collectChunkFiles(context, source.chunkFiles, collector);
  collector.reportSkipped();
  collector.reportRepeatedIds();
  if (chunks.count === 0) {
    const why = collector.skipped[0] ? `, the first because: ${collector.skipped[0].message}` : "";
    throw usageError(
      "NO_CHUNKS",
      `collection ${collection}: no chunk came out of its sources (${collector.skipped.length} skipped${why})`,
    );
  }
  await chunks.complete();
  const seconds = (performance.now() - startedAt) / 1000;
  emit({
    case: "stageFinished",
    value: { collection, stage: Stage.CHUNK, items: BigInt(chunks.count), seconds, unit: "chunks" },
  });
  const { audit, inputs, skipped } = collector;
  context.metrics.countChunks("chunk", "ok", chunks.count);
  if (skipped.length > 0) context.metrics.countChunks("chunk", "skipped", skipped.length);
  return { chunks, audit, inputs, skipped, ...(ledger ? { ledger } : {}) };
}
