import { join } from "node:path";
import { ArtifactError, LineIndex, type Run, type RunChunk } from "@ragline/artifacts";
import { type HnswGraph, searchHnsw } from "@ragline/hnsw";
import type { SparseVector } from "@ragline/vectors";
import { buildIndex, everyField, type IndexMeta, indexSources, isIndexOf } from "./build-index.js";
import { DenseIndex } from "./dense-index.js";
import { type DenseSearchOptions, DenseShare } from "./dense-share.js";
import { denseTopK } from "./dense-top-k.js";
import { type FieldColumn, FieldIndex, type FieldValue } from "./field-index.js";
import type { Filter } from "./filter.js";
import { InvertedIndex } from "./inverted-index.js";
import { type SectionArray, SectionFile, writeSections } from "./section-file.js";
import { NonFiniteScoreError, type ScoredRow } from "./top-k.js";

/** How to open a {@link SearchIndex}. */
export interface SearchIndexOptions {
  /** Told when the index has to be made, which reads the run's files once. */
  readonly onBuild?: () => void;
  /** Told when it could not be kept beside the run; it is in memory then. */
  readonly onUnsaved?: (error: Error) => void;
  /** Most bytes of dense vectors of one model in memory; larger ones are streamed at each search. @default 2 GiB */
  readonly maxResidentBytes?: number;
}

/** How to search one model's vectors. */
export interface SearchOptions {
  readonly k: number;
  /** From `select`. @default all rows */
  readonly allowed?: Uint8Array | undefined;
}

/**
 * Search over the artifacts of a run: dense vectors exactly or by the run's HNSW graph, sparse ones by an inverted index,
 * chunks by row, and filters on their payload. What would take long to read again (postings, fields, places of lines) is
 * kept in `<prefix>_search.idx` beside the run, made by the first search and bound to the hashes of what it was made from.
 */
export class SearchIndex {
  readonly rowCount: number;
  readonly #run: Run;
  readonly #options: SearchIndexOptions;
  readonly #lines: LineIndex;
  readonly #sections: { read(name: string): Promise<ArrayBuffer> };
  readonly #meta: IndexMeta;
  readonly #close: () => Promise<void>;
  readonly #inverted = new Map<string, Promise<InvertedIndex>>();
  readonly #dense = new Map<string, Promise<DenseIndex | undefined>>();
  #fields: Promise<FieldIndex> | undefined;
  #graph: Promise<HnswGraph | undefined> | undefined;
  /** The vectors that the graph is over. */
  #graphVectors: Promise<DenseShare> | undefined;

  private constructor(
    run: Run,
    options: SearchIndexOptions,
    file: { readonly meta: IndexMeta; read(name: string): Promise<ArrayBuffer>; close(): Promise<void> },
    offsets: Float64Array,
  ) {
    this.#run = run;
    this.#options = options;
    this.#sections = file;
    this.#meta = file.meta;
    this.#close = () => file.close();
    this.rowCount = file.meta.rowCount;
    this.#lines = LineIndex.fromOffsets(join(run.dir, run.names.qdrant), offsets);
  }

  /**
   * Opens the index of a run, or makes it.
   * @throws ArtifactError when a file of the run cannot be read.
   */
  static async open(run: Run, options: SearchIndexOptions = {}): Promise<SearchIndex> {
    const path = join(run.dir, run.names.searchIndex);
    const sources = await indexSources(run);
    const kept = await SectionFile.open<IndexMeta>(path);
    if (kept !== undefined && isIndexOf(kept.meta, sources))
      return new SearchIndex(run, options, kept, new Float64Array(await kept.read("offsets")));
    await kept?.close();
    options.onBuild?.();
    const { meta, sections } = await buildIndex(run, sources);
    await writeSections(path, meta, sections).catch((error: Error) => options.onUnsaved?.(error));
    const inMemory = {
      meta,
      read: async (name: string) => copyOf(sections[name] as SectionArray),
      close: async () => undefined,
    };
    return new SearchIndex(run, options, inMemory, sections["offsets"] as Float64Array);
  }

  /** Closes the file and ends the threads; nothing may be asked any more. */
  async close(): Promise<void> {
    const indexes = await Promise.allSettled(this.#dense.values());
    await Promise.all(
      indexes.map(async (index) => {
        if (index.status === "fulfilled") await index.value?.close();
      }),
    );
    await this.#close();
  }

  /** The chunks with these row numbers, in the order asked for. */
  chunksAt(rows: readonly number[]): Promise<RunChunk[]> {
    return this.#run.chunksAt(rows, this.#lines);
  }

  /**
   * The rows that fit all filters, 1 for each that does; undefined without any filter.
   * @throws FilterError for a field that no chunk has.
   */
  async select(filters: readonly Filter[]): Promise<Uint8Array | undefined> {
    if (filters.length === 0) return undefined;
    this.#fields ??= this.#readFields();
    return (await this.#fields).select(filters);
  }

  /**
   * The k best rows of a query among a sparse model's vectors.
   * @param isLexical whether the model's scores need inverse document frequency, as BM25's do.
   */
  async searchSparse(
    model: string,
    isLexical: boolean,
    queries: readonly SparseVector[],
    { k, allowed }: SearchOptions,
  ): Promise<ScoredRow[][]> {
    const postings = await this.#invertedIndex(model);
    return finite(join(this.#run.dir, this.#run.names.sparse), () =>
      postings.search(queries, {
        k,
        ...(isLexical ? { modifier: "idf" as const } : {}),
        ...(allowed === undefined ? {} : { allowed }),
      }),
    );
  }

  /** Reads a sparse model's postings into memory, so that the first search finds them there. */
  async prepareSparse(model: string): Promise<void> {
    await this.#invertedIndex(model);
  }

  #invertedIndex(model: string): Promise<InvertedIndex> {
    let index = this.#inverted.get(model);
    if (index === undefined) this.#inverted.set(model, (index = this.#readPostings(model)));
    return index;
  }

  /**
   * Reads a model's vectors into memory, so that the first search finds them there.
   * @param byGraph whether `searchGraph` is going to be asked.
   */
  async prepareDense(model: string, byGraph: boolean): Promise<void> {
    await (byGraph && (await this.hasGraph(model)) ? this.#vectorsOfGraph() : this.#denseIndex(model));
  }

  /**
   * The k best rows of each query among a dense model's vectors; every row is compared.
   * @param queries as many values each as the model's vectors have.
   * @throws ArtifactError when a vector is not finite.
   */
  async searchDense(model: string, queries: Float32Array, options: SearchOptions): Promise<ScoredRow[][]> {
    const { k, allowed } = options;
    const path = this.#run.dense.find(({ name }) => name === model)?.path ?? this.#run.dir;
    return finite(path, () => this.#searchDense(model, queries, { k, ...(allowed === undefined ? {} : { allowed }) }));
  }

  async #searchDense(model: string, queries: Float32Array, how: DenseSearchOptions): Promise<ScoredRow[][]> {
    // Vectors that are in memory for the graph are not read a second time.
    if (this.#graphVectors !== undefined && model === this.#primary)
      return (await this.#graphVectors).search(queries, how);
    const index = await this.#denseIndex(model);
    if (index !== undefined) return index.search(queries, how);
    return denseTopK({ blocks: this.#run.readDense(model), queries, dimension: this.#dimensionOf(model), ...how });
  }

  /** Whether the run has a graph over this model's vectors, and these are kept in memory. */
  async hasGraph(model: string): Promise<boolean> {
    return model === this.#primary && this.#fitsMemory(model) && (await this.#hnswGraph()) !== undefined;
  }

  /**
   * About the k best rows of a query, found in the run's HNSW graph.
   * @throws RangeError when there is no graph over the model's vectors.
   */
  async searchGraph(model: string, query: Float32Array, k: number): Promise<ScoredRow[]> {
    const graph = (await this.hasGraph(model)) ? await this.#hnswGraph() : undefined;
    if (graph === undefined) throw new RangeError(`the run has no graph over the vectors of ${model}`);
    const { table } = await this.#vectorsOfGraph();
    return searchHnsw(table, graph, query, k, 2 * k).map(({ row, similarity }) => ({ row, score: similarity }));
  }

  get #primary(): string | undefined {
    return this.#run.dense[0]?.name;
  }

  #dimensionOf(model: string): number {
    return this.#run.dense.find(({ name }) => name === model)?.dimension ?? 0;
  }

  #fitsMemory(model: string): boolean {
    const { maxResidentBytes = 2 ** 31 } = this.#options;
    return this.rowCount * this.#dimensionOf(model) * 4 <= maxResidentBytes;
  }

  #hnswGraph(): Promise<HnswGraph | undefined> {
    this.#graph ??= this.#run.readGraph();
    return this.#graph;
  }

  #vectorsOfGraph(): Promise<DenseShare> {
    this.#graphVectors ??= this.#loadVectorsOfGraph();
    return this.#graphVectors;
  }

  async #loadVectorsOfGraph(): Promise<DenseShare> {
    const model = this.#primary ?? "";
    const vectors = new DenseShare({ firstRow: 0, rows: this.rowCount, columns: this.#dimensionOf(model) });
    for await (const { firstIndex, values } of this.#run.readDense(model)) vectors.set(firstIndex, values);
    return vectors;
  }

  #denseIndex(model: string): Promise<DenseIndex | undefined> {
    let index = this.#dense.get(model);
    if (index === undefined) this.#dense.set(model, (index = this.#loadDense(model)));
    return index;
  }

  async #loadDense(model: string): Promise<DenseIndex | undefined> {
    if (!this.#fitsMemory(model)) return undefined;
    return DenseIndex.load(this.#run.readDense(model), this.rowCount, this.#dimensionOf(model));
  }

  async #readPostings(model: string): Promise<InvertedIndex> {
    const name = `sparse${this.#meta.sparse.indexOf(model)}`;
    const part = async (of: string) => this.#sections.read(`${name}.${of}`);
    const [terms, starts, rows, values] = await Promise.all(["terms", "starts", "rows", "values"].map(part));
    return new InvertedIndex({
      rowCount: this.rowCount,
      terms: new Uint32Array(terms as ArrayBuffer),
      starts: new Uint32Array(starts as ArrayBuffer),
      rows: new Uint32Array(rows as ArrayBuffer),
      values: new Float32Array(values as ArrayBuffer),
    });
  }

  async #readFields(): Promise<FieldIndex> {
    const { fields, dropped } = this.#meta;
    const values = JSON.parse(Buffer.from(await this.#sections.read(everyField)).toString()) as FieldValue[][];
    const columns = await Promise.all(
      fields.map(
        async (key, i): Promise<FieldColumn> => ({
          key,
          values: values[i] ?? [],
          starts: new Uint32Array(await this.#sections.read(`field${i}.starts`)),
          rows: new Uint32Array(await this.#sections.read(`field${i}.rows`)),
        }),
      ),
    );
    return new FieldIndex(this.rowCount, columns, dropped);
  }
}

/** Tells of scores that are not finite as of a fault in the file that the vectors are from. */
async function finite<Found>(path: string, search: () => Found | Promise<Found>): Promise<Found> {
  try {
    return await search();
  } catch (error) {
    if (!(error instanceof NonFiniteScoreError)) throw error;
    throw new ArtifactError(
      "INVALID_FORMAT",
      `${path}: the score of row ${error.row} is ${error.score}, so its vector or the query's holds NaN, infinite or far too large values. Run again to write it anew.`,
      { cause: error },
    );
  }
}

function copyOf(array: SectionArray): ArrayBuffer {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice().buffer;
}
