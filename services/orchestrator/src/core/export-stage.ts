import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ExportedFile, type ExportRequestSchema, FaissIndex, Stage } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import type { ChunkSpool } from "./chunk-spool.js";
import type { DenseSpace } from "./dense-stage.js";
import type { PlannedCollection } from "./plan-collections.js";
import type { RunContext } from "./run-context.js";
import type { SparseSpace } from "./sparse-stage.js";
import { withStage } from "./with-stage.js";

/** Everything that is to be written. */
export interface ExportContent {
  readonly planned: PlannedCollection;
  readonly outputDir: string;
  readonly chunks: ChunkSpool;
  readonly dense: readonly DenseSpace[];
  readonly sparse: readonly SparseSpace[];
  /** One JSON object per query; absent when intermediate results are not kept. */
  readonly fusedLines?: () => AsyncIterable<string>;
  /** One JSON object per query; absent when nothing was reranked. */
  readonly rerankLines?: () => AsyncIterable<string>;
  /** The manifest as JSON, once the hashes of all other files are known. */
  manifest(files: readonly ExportedFile[]): Promise<string>;
}

/** The files that were written, the manifest's path last. */
export interface Exported {
  readonly files: readonly ExportedFile[];
  readonly manifestPath: string;
}

const faissIndexes = { flat: FaissIndex.FLAT, hnsw: FaissIndex.HNSW, none: FaissIndex.NONE };

type Request = MessageInitShape<typeof ExportRequestSchema>;

async function* contentRequests({ settings }: RunContext, content: ExportContent): AsyncGenerator<Request> {
  const { planned, outputDir, chunks, dense, sparse, fusedLines, rerankLines } = content;
  yield {
    kind: {
      case: "open",
      value: {
        outputDir,
        collection: planned.name,
        prefix: planned.prefix,
        dense: dense.map(({ model, dimension, run }) => ({
          name: model,
          dimension,
          huggingFaceId: run.ready.huggingFaceId,
        })),
        sparse: sparse.map(({ model, isLexical, run }) => ({
          name: model,
          inverseDocumentFrequency: isLexical,
          huggingFaceId: run?.ready.huggingFaceId ?? "",
        })),
        chunkCount: BigInt(chunks.count),
        rerank: rerankLines !== undefined,
        summaryPath: settings.summaryPath ?? "",
        faissIndex: faissIndexes[settings.faissIndex],
        faissIds: settings.faissIds,
        fused: fusedLines !== undefined,
      },
    },
  };
  for await (const batch of chunks.batches()) yield { kind: { case: "chunks", value: { chunks: batch.chunks } } };
  for (const { model: space, vectors } of dense) {
    for await (const { firstIndex, rows, values } of vectors.read())
      yield { kind: { case: "dense", value: { space, firstIndex, rows, values } } };
  }
  for (const { model: space, vectors } of sparse) {
    for await (const { firstIndex, rowLengths, indices, values, tokens } of vectors.read()) {
      yield { kind: { case: "sparse", value: { space, firstIndex, rowLengths, indices, values, tokens } } };
    }
  }
  if (fusedLines !== undefined) {
    for await (const line of fusedLines()) yield { kind: { case: "fused", value: { linesJson: [line] } } };
  }
  if (rerankLines !== undefined) {
    for await (const line of rerankLines()) yield { kind: { case: "rerank", value: { linesJson: [line] } } };
  }
  yield { kind: { case: "finish", value: {} } };
}

/** Has the export service write all files of a collection, the manifest last. */
export async function exportCollection(context: RunContext, content: ExportContent): Promise<Exported> {
  const { emit, signal } = context;
  const collection = content.planned.name;
  return withStage(context, "export", async (client) => {
    let tellStaged: (files: readonly ExportedFile[]) => void = () => undefined;
    const staged = new Promise<readonly ExportedFile[]>((resolve) => {
      tellStaged = resolve;
    });
    async function* requests(): AsyncGenerator<Request> {
      yield* contentRequests(context, content);
      yield { kind: { case: "manifest", value: { json: await content.manifest(await staged) } } };
    }
    emit({ case: "stageStarted", value: { collection, stage: Stage.EXPORT, unit: "files" } });
    let files: readonly ExportedFile[] = [];
    let manifestPath: string | undefined;
    for await (const { kind } of client.export(requests(), { signal })) {
      if (kind.case === "staged") {
        files = kind.value.files;
        tellStaged(files);
      } else if (kind.case === "committed") {
        manifestPath = kind.value.manifestPath;
      }
    }
    if (manifestPath === undefined)
      throw new RaglineError(
        "INTERNAL",
        "STREAM_CUT",
        "the export service ended its stream before the files were in place",
      );
    return { files, manifestPath };
  });
}
