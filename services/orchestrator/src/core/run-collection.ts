import { DenseVectorsSchema, ExportChunksSchema, OutcomeReason, SparseVectorsSchema, Stage } from "@ragline/contracts";
import type { FusedCandidate } from "@ragline/fusion";
import { findModel } from "@ragline/models";
import { RaglineError } from "@ragline/rpc";
import { auditRun, VectorWatch } from "./audit-run.js";
import { type AuditTexts, auditTexts } from "./audit-texts.js";
import { ChunkSpool } from "./chunk-spool.js";
import { type CollectedChunks, collectChunks } from "./collect-chunks.js";
import type { CollectionResult, RerankState, StepTimes } from "./collection-result.js";
import { type DenseSpace, denseBlocks, embedWithModel } from "./dense-stage.js";
import { fusionSettings } from "./fusion-settings.js";
import { metadataVectors } from "./metadata-fallback.js";
import type { PlannedCollection } from "./plan-collections.js";
import { rerankCandidates } from "./rerank-stage.js";
import { fuseResults, listDepth, type ModelResults, searchSpaces } from "./retrieve.js";
import type { RunContext } from "./run-context.js";
import { auditQueries, fileQueries, type RunQuery } from "./run-queries.js";
import { inSpan } from "./run-trace.js";
import { encodeWithModel, type SparseSpace, sparseBlocks } from "./sparse-stage.js";
import { report } from "./with-stage.js";
import type { Workspace } from "./workspace.js";

// A self-audit asks whether the answer is among the first ten; scoring more pairs would only cost time.
const auditRerankDepth = 20;
const queryRerankDepth = 100;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Times the steps of a collection and remembers their spans. */
class Steps {
  readonly seconds = { chunk: 0, dense: 0, sparse: 0, fusion: 0, rerank: 0, audit: 0 };
  readonly times: Record<string, StepTimes> = {};
  readonly spanIds: Record<string, string> = {};
  readonly #collection: string;

  constructor(collection: string) {
    this.#collection = collection;
  }

  async run<Result>(name: keyof Steps["seconds"], work: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    return inSpan(`rag.${name}`, { "rag.collection": this.#collection }, async (span) => {
      this.spanIds[name] = span.spanContext().spanId;
      const result = await work();
      const endedAt = performance.now();
      this.times[name] = { startedAt, endedAt };
      this.seconds[name] = (endedAt - startedAt) / 1000;
      return result;
    });
  }
}

async function runDense(
  context: RunContext,
  collection: string,
  chunks: ChunkSpool,
  queries: Promise<readonly string[]>,
  workspace: Workspace,
): Promise<DenseSpace[]> {
  const { ensembleModels, exclusiveEnsemble } = context.settings;
  const embed = async (name: string, position: number): Promise<DenseSpace> => {
    const startedAt = performance.now();
    const model = findModel(name, "dense").key;
    const spool = await workspace.spool(`dense-${position}`, DenseVectorsSchema);
    const space = await embedWithModel(context, collection, model, chunks, queries, spool);
    const { outcomes } = space.run.summary;
    finish(context, collection, Stage.DENSE, model, outcomes, { items: chunks.count, startedAt, unit: "chunks" });
    return space;
  };
  if (!exclusiveEnsemble) return Promise.all(ensembleModels.map(embed));
  const spaces: DenseSpace[] = [];
  for (const [position, name] of ensembleModels.entries()) spaces.push(await embed(name, position));
  return spaces;
}

function finish(
  context: RunContext,
  collection: string,
  stage: Stage,
  model: string,
  outcomes: readonly Parameters<typeof report>[1][],
  { items, startedAt, unit }: { items: number; startedAt: number; unit: string },
): void {
  for (const outcome of outcomes) report(context, outcome);
  const seconds = (performance.now() - startedAt) / 1000;
  context.emit({ case: "stageFinished", value: { collection, stage, model, items: BigInt(items), seconds, unit } });
}

async function runSparse(
  context: RunContext,
  collection: string,
  chunks: ChunkSpool,
  queries: readonly string[],
  workspace: Workspace,
): Promise<SparseSpace[]> {
  const spaces: SparseSpace[] = [];
  for (const [i, name] of context.settings.sparseModels.entries()) {
    const startedAt = performance.now();
    const { key: model, loader } = findModel(name, "sparse");
    try {
      const space = await encodeWithModel(
        context,
        collection,
        { model, isLexical: loader === "bm25" },
        chunks,
        queries,
        await workspace.spool(`sparse-${i}`, SparseVectorsSchema),
      );
      spaces.push(space);
      context.metrics.setSparseCoverage(model, chunks.count > 0 ? space.available / chunks.count : 0);
      finish(context, collection, Stage.SPARSE, model, space.run?.summary.outcomes ?? [], {
        items: chunks.count,
        startedAt,
        unit: "chunks",
      });
    } catch (error) {
      // Only a failure of the stage has a fallback; a full disk or an error of ours would only be hidden by one.
      if (context.signal.aborted || !(error instanceof RaglineError)) throw error;
      const fallback = await metadataVectors(
        chunks,
        queries,
        await workspace.spool("sparse-metadata", SparseVectorsSchema),
      );
      if (!spaces.some((space) => space.model === fallback.model)) spaces.push(fallback);
      context.metrics.setSparseCoverage(model, 0);
      report(context, {
        stage: Stage.SPARSE,
        reason: OutcomeReason.METADATA_FALLBACK,
        model,
        count: BigInt(chunks.count),
        degraded: true,
        detail: `${model} failed (${messageOf(error)}); ${fallback.available} of ${chunks.count} chunks got vectors from their metadata instead, under the name ${fallback.model}`,
      });
    }
  }
  return spaces;
}

async function runFusion(
  context: RunContext,
  dense: readonly DenseSpace[],
  sparse: readonly SparseSpace[],
  queries: readonly RunQuery[],
  watch: VectorWatch,
): Promise<{ results: ModelResults[]; fused: FusedCandidate[][] }> {
  const live = sparse.filter(({ run }) => run !== undefined);
  const depth = Math.max(listDepth, context.settings.rerankCandidates ?? 0);
  const results = await searchSpaces(
    dense.map((space) => ({ ...space, blocks: () => watch.watchDense(space.model, denseBlocks(space)) })),
    live.map((space) => ({ ...space, blocks: () => watch.watchSparse(space.model, sparseBlocks(space)) })),
    depth,
  );
  const fused = fuseResults(results, queries.length, fusionSettings(context.settings));
  for (const { length } of fused) context.metrics.observeCandidates("fusion", length);
  return { results, fused };
}

async function runRerank(
  context: RunContext,
  collection: string,
  chunks: ChunkSpool,
  queries: readonly RunQuery[],
  fused: readonly FusedCandidate[][],
): Promise<RerankState> {
  const { settings } = context;
  const startedAt = performance.now();
  const model = findModel(settings.rerankModel, "rerank").key;
  if (queries.length === 0) {
    const outcome = report(context, {
      stage: Stage.RERANK,
      reason: OutcomeReason.NO_CANDIDATES,
      model,
      detail: "there were no queries, so nothing was reranked; give some with --queries",
    });
    return { status: "skipped", model, outcome };
  }
  const isAudit = settings.queries === null;
  const depth = settings.rerankCandidates ?? (isAudit ? auditRerankDepth : queryRerankDepth);
  try {
    const result = await rerankCandidates(context, collection, model, chunks, queries, fused, depth);
    const { items, outcomes } = result.run.summary;
    finish(context, collection, Stage.RERANK, model, outcomes, { items: Number(items), startedAt, unit: "pairs" });
    const first = (result.candidates[0] ?? []).slice(0, settings.rerankTopK);
    const firstIds = (await chunks.rows(first.map(({ row }) => row))).map(({ id }) => id);
    return { status: "executed", model, depth, result, firstIds };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof RaglineError)) throw error;
    const outcome = report(context, {
      stage: Stage.RERANK,
      reason: error.codeName === "UNAVAILABLE" ? OutcomeReason.EXECUTOR_UNAVAILABLE : OutcomeReason.EXECUTION_FAILED,
      model,
      count: BigInt(queries.length),
      degraded: true,
      detail: `${model} failed (${messageOf(error)}); the candidates keep their fused order and have no rerank scores`,
    });
    return { status: "error", model, outcome };
  }
}

interface Embedded {
  readonly collected: CollectedChunks;
  readonly queries: readonly RunQuery[];
  readonly dense: readonly DenseSpace[];
  /** Read while models work; awaited where it is needed. */
  readonly texts: Promise<AuditTexts>;
}

/** Chunks the sources and embeds the chunks at the same time: the first vectors come before the last file is read. */
async function chunkAndEmbed(
  context: RunContext,
  planned: PlannedCollection,
  workspace: Workspace,
  steps: Steps,
): Promise<Embedded> {
  // A file of queries that cannot be read fails before anything is done.
  const asked = await fileQueries(context.settings);
  const chunks = new ChunkSpool(await workspace.spool("chunks", ExportChunksSchema));
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const collecting = steps.run("chunk", () => collectChunks({ ...context, signal }, planned, chunks));
  const queries = collecting.then(({ audit }) => asked ?? auditQueries(context.settings, audit));
  const texts = queries.then((all) => all.map(({ text }) => text));
  const audited = queries.then((all) => auditTexts(chunks, all, signal));
  // Whatever fails is thrown by those who wait below; the other promises have nobody to tell then.
  texts.catch(() => undefined);
  audited.catch(() => undefined);
  try {
    await chunks.begun();
    // The model that finds where topics turn holds the device until the last document is chunked.
    if (context.settings.chunkStrategy === "semantic") await collecting;
    const dense = await steps.run("dense", () => runDense(context, planned.name, chunks, texts, workspace));
    return { collected: await collecting, queries: await queries, dense, texts: audited };
  } catch (error) {
    stop.abort(error);
    await collecting.catch(() => undefined);
    throw error;
  }
}

/**
 * Everything before export, for one collection: chunks, dense and sparse vectors, fused candidates, rerank scores.
 * @throws RaglineError when chunks or dense vectors cannot be made; sparse and rerank failures are outcomes instead.
 */
export async function runCollection(
  context: RunContext,
  planned: PlannedCollection,
  workspace: Workspace,
): Promise<CollectionResult> {
  const { name: collection } = planned;
  const { settings } = context;
  const steps = new Steps(collection);
  const { collected, queries, dense, texts: audited } = await chunkAndEmbed(context, planned, workspace, steps);
  const { chunks } = collected;
  const texts = queries.map(({ text }) => text);
  const watch = new VectorWatch(chunks.count);
  const sparse = settings.enableSparse
    ? await steps.run("sparse", () => runSparse(context, collection, chunks, texts, workspace))
    : [];
  const { results, fused } = await steps.run("fusion", () => runFusion(context, dense, sparse, queries, watch));
  const rerank: RerankState = settings.enableRerank
    ? await steps.run("rerank", () => runRerank(context, collection, chunks, queries, fused))
    : { status: "disabled" };
  const reranked = rerank.status === "executed" ? rerank.result.candidates : undefined;
  const audit = await steps.run("audit", async () =>
    auditRun({
      chunks,
      queries,
      texts: await audited,
      watch,
      dense,
      sparse,
      results,
      fused,
      reranked,
    }),
  );
  return {
    planned,
    collected,
    queries,
    dense,
    sparse,
    fused,
    rerank,
    audit,
    seconds: steps.seconds,
    times: steps.times,
    spanIds: steps.spanIds,
  };
}
