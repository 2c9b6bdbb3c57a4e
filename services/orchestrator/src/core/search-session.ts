import { context } from "@opentelemetry/api";
import type { Run, RunChunk } from "@ragline/artifacts";
import { type FusedCandidate, mixRerank, type RerankedCandidate } from "@ragline/fusion";
import { findModel } from "@ragline/models";
import { type Filter, type ScoredRow, SearchIndex } from "@ragline/retrieval";
import { QueryModels, sparseQueryModels } from "./query-models.js";
import type { RankingSettings } from "./ranking-settings.js";
import { fuseResults, listDepth, type ModelResults } from "./retrieve.js";
import type { StageClients } from "./run-context.js";
import { inModelSpan, inSpan } from "./run-trace.js";
import { usageError } from "./usage-error.js";

/** What a search looks at: dense vectors, sparse ones, both fused, or fused and reranked. */
export type SearchMode = "dense" | "sparse" | "hybrid" | "rerank";

/** How a session searches. */
export interface SearchSessionOptions {
  readonly run: Run;
  readonly mode: SearchMode;
  readonly ranking: RankingSettings;
  /** Compare every vector although the run has a graph. */
  readonly exact: boolean;
  readonly stages: StageClients;
  readonly signal: AbortSignal;
  /** Whether models stay open from one query to the next. */
  readonly keepOpen: boolean;
  /** Told what takes long, for a person. */
  readonly onNote: (sentence: string) => void;
}

/** One question. */
export interface SearchRequest {
  readonly query: string;
  /** Answers to give. */
  readonly topK: number;
  /** Conditions on the chunks' payload; all have to hold. */
  readonly filters: readonly Filter[];
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

/** Milliseconds of the steps of a search. */
export interface SearchTimings {
  /** The query's own encoding by all models. */
  encodeMs: number;
  /** Filters, lists of all models, fusion. */
  searchMs: number;
  /** CrossEncoder; 0 without. */
  rerankMs: number;
}

/** What was found. */
export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  readonly timings: Readonly<SearchTimings>;
}

/** Answers queries from the artifacts of a run, with the models that made them. */
export class SearchSession {
  readonly #options: SearchSessionOptions;
  readonly #index: SearchIndex;
  readonly #models: QueryModels;
  readonly #dense: readonly string[];
  readonly #sparse: readonly string[];

  private constructor(options: SearchSessionOptions, index: SearchIndex) {
    const { run, mode } = options;
    this.#options = options;
    this.#index = index;
    // A model that stays open outlives the question that opened it, and so does its call.
    this.#models = new QueryModels({ ...options, ...(options.keepOpen ? { parent: context.active() } : {}) });
    this.#dense = mode === "sparse" ? [] : run.dense.map(({ name }) => name);
    this.#sparse = mode === "dense" ? [] : sparseQueryModels(run);
  }

  /**
   * Opens the run's index; models are opened by the first query.
   * @throws RaglineError INVALID_ARGUMENT for a mode that the run has no vectors for.
   */
  static async open(options: SearchSessionOptions): Promise<SearchSession> {
    const { run, mode, onNote } = options;
    if (mode === "sparse" && run.sparse.length === 0)
      throw usageError("NO_SPARSE", `the run in ${run.dir} has no sparse vectors; search it with --mode dense`);
    const index = await inSpan("rag.index", {}, () =>
      SearchIndex.open(run, {
        onBuild: () => onNote(`reading ${run.chunkCount} chunks of ${run.dir} once to index them`),
        onUnsaved: ({ message }) =>
          onNote(`the index could not be kept beside the run (${message}); it is made each time`),
      }),
    );
    const session = new SearchSession(options, index);
    // Read while the first query is encoded; what fails is told by the search that needs it.
    for (const model of session.#dense) index.prepareDense(model, !options.exact).catch(() => undefined);
    for (const model of session.#sparse) index.prepareSparse(model).catch(() => undefined);
    return session;
  }

  /** Closes the index and the models that stayed open. */
  async close(): Promise<void> {
    await this.#models.close();
    await this.#index.close();
  }

  /**
   * Checks filters before a query uses them.
   * @throws FilterError for a field that no chunk has.
   */
  async checkFilters(filters: readonly Filter[]): Promise<void> {
    await this.#index.select(filters);
  }

  /**
   * Answers one query, in a span that tells nothing of its text.
   * @throws RaglineError INVALID_ARGUMENT for a blank query; FilterError for a field that no chunk has.
   */
  async search(request: SearchRequest): Promise<SearchAnswer> {
    const { query, topK, filters } = request;
    if (query.trim() === "") throw usageError("BLANK_QUERY", "the query is blank; write what you are looking for");
    const attributes = { "rag.search.mode": this.#options.mode, "rag.search.top_k": topK };
    return inSpan("rag.query", attributes, () => this.#answer(query, topK, filters));
  }

  async #answer(query: string, topK: number, filters: readonly Filter[]): Promise<SearchAnswer> {
    const { mode, ranking } = this.#options;
    const timings: SearchTimings = { encodeMs: 0, searchMs: 0, rerankMs: 0 };
    const allowed = await timed(timings, "searchMs", () => this.#index.select(filters));
    const results = [
      ...(await this.#denseLists(query, allowed, timings)),
      ...(await this.#sparseLists(query, allowed, timings)),
    ];
    const [fused = []] = await timed(timings, "searchMs", () =>
      inSpan("rag.fusion", {}, async () => fuseResults(results, 1, ranking.fusion)),
    );
    const ranked = mode === "rerank" ? await timed(timings, "rerankMs", () => this.#rerank(query, fused)) : fused;
    const kept = ranked.slice(0, topK);
    const chunks = await timed(timings, "searchMs", () => this.#index.chunksAt(kept.map(({ row }) => row)));
    return { hits: kept.map((candidate, i) => toHit(candidate, chunks[i], i)), timings };
  }

  async #denseLists(query: string, allowed: Uint8Array | undefined, timings: SearchTimings): Promise<ModelResults[]> {
    const results: ModelResults[] = [];
    // One model after the other: each has its device for itself.
    for (const model of this.#dense) {
      const list = await inModelSpan("dense", model, async () => {
        const vector = await timed(timings, "encodeMs", () => this.#models.embed(model, [query]));
        return timed(timings, "searchMs", () => this.#denseList(model, vector, allowed));
      });
      results.push({ model, kind: "dense", lists: [list] });
    }
    return results;
  }

  async #denseList(model: string, vector: Float32Array, allowed: Uint8Array | undefined): Promise<ScoredRow[]> {
    // A query that the model could not embed would find every chunk alike.
    if (vector.every((value) => value === 0)) return [];
    if (!this.#options.exact && allowed === undefined && (await this.#index.hasGraph(model)))
      return this.#index.searchGraph(model, vector, listDepth);
    const [found = []] = await this.#index.searchDense(model, vector, { k: listDepth, allowed });
    return found;
  }

  async #sparseLists(query: string, allowed: Uint8Array | undefined, timings: SearchTimings): Promise<ModelResults[]> {
    const results: ModelResults[] = [];
    for (const model of this.#sparse) {
      const isLexical = findModel(model, "sparse").loader === "bm25";
      const lists = await inModelSpan("sparse", model, async () => {
        const vectors = await timed(timings, "encodeMs", () => this.#models.encode(model, [query]));
        return timed(timings, "searchMs", () =>
          this.#index.searchSparse(model, isLexical, vectors, { k: listDepth, allowed }),
        );
      });
      results.push({ model, kind: isLexical ? "bm25" : "learned-sparse", lists });
    }
    return results;
  }

  async #rerank(query: string, fused: readonly FusedCandidate[]): Promise<RerankedCandidate[]> {
    const { model, candidates, mix } = this.#options.ranking.rerank;
    const first = fused.slice(0, candidates);
    if (first.length === 0) return [];
    const chunks = await this.#index.chunksAt(first.map(({ row }) => row));
    const scores = await inModelSpan("rerank", model, () => this.#models.score(model, "search", query, chunks));
    return mixRerank(fused, new Map(Array.from(scores, ([at, score]) => [first[at]?.row ?? -1, score])), mix);
  }
}

async function timed<Result>(
  timings: SearchTimings,
  step: keyof SearchTimings,
  work: () => Promise<Result>,
): Promise<Result> {
  const startedAt = performance.now();
  const result = await work();
  timings[step] += performance.now() - startedAt;
  return result;
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
