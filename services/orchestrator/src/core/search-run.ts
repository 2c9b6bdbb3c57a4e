import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Run, RunChunk } from "@ragline/artifacts";
import { Precision, type StageOpenSchema } from "@ragline/contracts";
import { mixRerank, type RerankedCandidate } from "@ragline/fusion";
import { findModel } from "@ragline/models";
import { fromFloat32Bytes, type SparseVector, unpackSparse } from "@ragline/vectors";
import { recordedFusion } from "./fusion-settings.js";
import { readModelStream } from "./model-stream.js";
import { type DenseSource, fuseResults, listDepth, type SparseSource, searchSpaces } from "./retrieve.js";
import type { StageClients, StageName } from "./run-context.js";
import { textRequests } from "./stage-requests.js";
import { usageError } from "./usage-error.js";

/** What a search looks at: dense vectors, sparse ones, both fused, or fused and reranked. */
export type SearchMode = "dense" | "sparse" | "hybrid" | "rerank";

/** What to search for, and how. */
export interface SearchOptions {
  readonly run: Run;
  readonly query: string;
  readonly mode: SearchMode;
  /** Answers to give. */
  readonly topK: number;
  readonly rerankModel: string;
  /** Share of the CrossEncoder, from 0 to 1. */
  readonly rerankMix: number;
  readonly stages: StageClients;
  readonly signal: AbortSignal;
}

/** One answer. */
export interface SearchHit {
  readonly rank: number;
  /** Comparable within one search only. */
  readonly score: number;
  readonly id: string;
  readonly row: number;
  readonly text: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Rank and score in each model's own list. */
  readonly sources: RerankedCandidate["sources"];
  /** The CrossEncoder's logit, when it was asked. */
  readonly rerankScore?: number;
}

/** Opens a model as the run did: vectors of another precision are of another space. */
function openFor(
  { run, stages }: SearchOptions,
  stage: StageName,
  model: string,
): MessageInitShape<typeof StageOpenSchema> {
  const recorded = run.manifest.models?.find(({ name }) => name === model)?.["precision"];
  const precision = recorded === "fp32" ? Precision.FP32 : recorded === "int8" ? Precision.INT8 : Precision.AUTO;
  return { model, precision, leaseBroker: stages.leaseBroker(stage) };
}

async function* sendAll<Message>(...messages: Message[]): AsyncGenerator<Message> {
  yield* messages;
}

async function denseSource(options: SearchOptions, model: string, dimension: number): Promise<DenseSource> {
  const { run, query, stages, signal } = options;
  const client = await stages.client("dense");
  let queries = new Float32Array();
  const requests = textRequests(openFor(options, "dense", model), [], [query]);
  await readModelStream(
    client.embed(requests, { signal }),
    () => undefined,
    async ({ values }) => {
      queries = Float32Array.from(fromFloat32Bytes(values));
    },
  );
  return { model, dimension, queries, blocks: () => run.readDense(model) };
}

async function sparseSource(options: SearchOptions, model: string): Promise<SparseSource> {
  const { run, query, stages, signal } = options;
  const client = await stages.client("sparse");
  let queries: SparseVector[] = [];
  const requests = textRequests(openFor(options, "sparse", model), [], [query]);
  await readModelStream(
    client.encode(requests, { signal }),
    () => undefined,
    async (block) => {
      queries = unpackSparse({ ...block, firstIndex: 0 });
    },
  );
  return {
    model,
    isLexical: findModel(model, "sparse").loader === "bm25",
    queries,
    blocks: () => run.readSparse(model),
  };
}

async function rerank(options: SearchOptions, fused: Parameters<typeof mixRerank>[0]): Promise<RerankedCandidate[]> {
  const { run, query, stages, signal, rerankMix } = options;
  const candidates = fused.slice(0, listDepth);
  const chunks = await run.chunksAt(candidates.map(({ row }) => row));
  const client = await stages.client("rerank");
  const scoreByRow = new Map<number, number>();
  const requests = sendAll(
    { kind: { case: "open" as const, value: openFor(options, "rerank", options.rerankModel) } },
    {
      kind: {
        case: "query" as const,
        value: { queryId: "search", query, candidates: chunks.map(({ id, text }) => ({ id, text })) },
      },
    },
  );
  await readModelStream(
    client.score(requests, { signal }),
    () => undefined,
    async ({ scores, failures }) => {
      const unscored = new Set(failures.map(({ position }) => position));
      candidates.forEach(({ row }, i) => {
        if (!unscored.has(i)) scoreByRow.set(row, scores[i] ?? Number.NaN);
      });
    },
  );
  return mixRerank(candidates, scoreByRow, rerankMix);
}

function toHit(candidate: RerankedCandidate, chunk: RunChunk | undefined, position: number): SearchHit {
  const { row, score, mixedScore, rerankScore, sources } = candidate;
  return {
    rank: position + 1,
    score: mixedScore ?? score,
    id: chunk?.id ?? "",
    row,
    text: chunk?.text ?? "",
    metadata: chunk?.metadata ?? {},
    sources,
    ...(rerankScore === undefined ? {} : { rerankScore }),
  };
}

/**
 * Answers a query from the artifacts of a run, with the models that made them.
 * @throws RaglineError INVALID_ARGUMENT for a blank query or a mode that the run has no vectors for.
 */
export async function searchRun(options: SearchOptions): Promise<SearchHit[]> {
  const { run, query, mode, topK } = options;
  if (query.trim() === "") throw usageError("BLANK_QUERY", "the query is blank; write what you are looking for");
  const wantsDense = mode !== "sparse";
  const wantsSparse = mode !== "dense";
  if (mode === "sparse" && run.sparse.length === 0)
    throw usageError("NO_SPARSE", `the run in ${run.dir} has no sparse vectors; search it with --mode dense`);
  const dense: DenseSource[] = [];
  // One model after the other: each has its device for itself.
  if (wantsDense) for (const { name, dimension } of run.dense) dense.push(await denseSource(options, name, dimension));
  const sparse: SparseSource[] = [];
  // Not those that were derived from metadata: no model encodes a query for them.
  const known = new Set(run.manifest.models?.map(({ name }) => name));
  if (wantsSparse)
    for (const name of run.sparse.filter((model) => known.has(model))) sparse.push(await sparseSource(options, name));
  const [fused = []] = fuseResults(await searchSpaces(dense, sparse, listDepth), 1, recordedFusion(run));
  const ranked = mode === "rerank" ? await rerank(options, fused) : fused;
  const kept = ranked.slice(0, topK);
  const chunks = await run.chunksAt(kept.map(({ row }) => row));
  return kept.map((candidate, i) => toHit(candidate, chunks[i], i));
}
