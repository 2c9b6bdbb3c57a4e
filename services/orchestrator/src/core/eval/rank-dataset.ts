import type { Run } from "@ragline/artifacts";
import type { DatasetQuery, RunScores } from "@ragline/evaluation";
import { type FusedCandidate, mixRerank } from "@ragline/fusion";
import { findModel } from "@ragline/models";
import type { SearchIndex } from "@ragline/retrieval";
import type { FusionSettings } from "../fusion-settings.js";
import { type QueryModels, sparseQueryModels } from "../query-models.js";
import type { RerankSettings } from "../ranking-settings.js";
import { fuseResults, listDepth, type ModelResults, withoutBlankQueries } from "../retrieve.js";
import { inModelSpan, inSpan } from "../run-trace.js";

/** What to rank, and how. */
export interface RankDatasetOptions {
  readonly run: Run;
  readonly index: SearchIndex;
  readonly queries: readonly DatasetQuery[];
  readonly models: QueryModels;
  /** Document id by row. */
  readonly documentOfRow: readonly (string | undefined)[];
  /** Rows of each model's list. */
  readonly depth: number;
  readonly fusion: FusionSettings;
  /** Absent: no reranking. */
  readonly rerank?: RerankSettings;
  /** Told what is being done. */
  readonly onProgress: (sentence: string) => void;
}

/** One way of ranking. */
export interface RankedMode {
  /** A model's key, "fused" or "reranked". */
  readonly name: string;
  readonly kind: "dense" | "learned-sparse" | "bm25" | "fused" | "reranked";
  readonly scores: RunScores;
}

type Scored = readonly { readonly row: number; readonly score: number }[];

/**
 * Ranks the documents of a run for every query: each model alone, fused, and reranked. A document that has several chunks
 * gets the score of its best one.
 */
export async function rankDataset(options: RankDatasetOptions): Promise<RankedMode[]> {
  const { queries, depth, fusion, rerank, onProgress } = options;
  const k = Math.max(depth, listDepth);
  const results = [...(await denseResults(options, k)), ...(await sparseResults(options, k))];
  const modes = results.map(
    ({ model, kind, lists }): RankedMode => ({
      name: model,
      kind,
      scores: toDocuments(
        options,
        lists.map((list) => list.slice(0, depth)),
      ),
    }),
  );
  // What is fused is what a run and a search fuse, however deep the lists are that are measured alone.
  const cut = results.map(
    (result): ModelResults => ({ ...result, lists: result.lists.map((list) => list.slice(0, listDepth)) }),
  );
  const fused = await inSpan("rag.fusion", {}, async () => fuseResults(cut, queries.length, fusion));
  modes.push({ name: "fused", kind: "fused", scores: toDocuments(options, fused) });
  if (rerank === undefined) return modes;
  onProgress(`${rerank.model}: the first ${rerank.candidates} candidates of ${queries.length} queries`);
  const reranked = await inModelSpan("rerank", rerank.model, async () => {
    const lists: Scored[] = [];
    for (const [i, candidates] of fused.entries()) {
      lists.push(await rerankOne(options, i, candidates, rerank));
      if ((i + 1) % 50 === 0) onProgress(`${rerank.model}: ${i + 1} of ${queries.length} queries`);
    }
    await options.models.release("rerank", rerank.model);
    return lists;
  });
  return [...modes, { name: "reranked", kind: "reranked", scores: toDocuments(options, reranked) }];
}

async function denseResults(options: RankDatasetOptions, k: number): Promise<ModelResults[]> {
  const { run, index, queries, models, onProgress } = options;
  const results: ModelResults[] = [];
  for (const { name, dimension } of run.dense) {
    onProgress(`${name}: ${queries.length} queries`);
    const lists = await inModelSpan("dense", name, async () => {
      const vectors = await models.embed(
        name,
        queries.map(({ text }) => text),
      );
      await models.release("dense", name);
      return withoutBlankQueries(await index.searchDense(name, vectors, { k }), vectors, dimension);
    });
    results.push({ model: name, kind: "dense", lists });
  }
  return results;
}

async function sparseResults(options: RankDatasetOptions, k: number): Promise<ModelResults[]> {
  const { run, index, queries, models, onProgress } = options;
  const results: ModelResults[] = [];
  for (const model of sparseQueryModels(run)) {
    onProgress(`${model}: ${queries.length} queries`);
    const isLexical = findModel(model, "sparse").loader === "bm25";
    const lists = await inModelSpan("sparse", model, async () => {
      const vectors = await models.encode(
        model,
        queries.map(({ text }) => text),
      );
      await models.release("sparse", model);
      return index.searchSparse(model, isLexical, vectors, { k });
    });
    results.push({ model, kind: isLexical ? "bm25" : "learned-sparse", lists });
  }
  return results;
}

async function rerankOne(
  { index, queries, models }: RankDatasetOptions,
  position: number,
  fused: readonly FusedCandidate[],
  { model, candidates, mix }: RerankSettings,
): Promise<Scored> {
  const first = fused.slice(0, candidates);
  const { id = "", text = "" } = queries[position] ?? {};
  if (first.length === 0) return [];
  const scores = await models.score(model, id, text, await index.chunksAt(first.map(({ row }) => row)));
  const byRow = new Map(Array.from(scores, ([at, score]) => [first[at]?.row ?? -1, score]));
  const reranked = mixRerank(fused, byRow, mix);
  // Candidates that were not scored follow those that were, a step below one another.
  const last = reranked.findLast(({ mixedScore }) => mixedScore !== undefined)?.mixedScore ?? 0;
  return reranked.map(({ row, mixedScore }, at) => ({ row, score: mixedScore ?? last - 1 - at }));
}

/** The documents behind rows, each with the score of its best row. */
function toDocuments({ queries, documentOfRow }: RankDatasetOptions, lists: readonly Scored[]): RunScores {
  return new Map(
    queries.map(({ id }, i) => {
      const best = new Map<string, number>();
      for (const { row, score } of lists[i] ?? []) {
        const document = documentOfRow[row];
        if (document !== undefined && score > (best.get(document) ?? -Infinity)) best.set(document, score);
      }
      return [id, best] as const;
    }),
  );
}
