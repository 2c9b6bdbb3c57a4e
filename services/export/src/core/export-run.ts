import { basename, dirname } from "node:path";
import {
  type ArtifactNames,
  artifactNames,
  JsonBytes,
  type Manifest,
  npyHeader,
  type OutputFile,
  parseManifest,
  type RunStats,
  StagedDirectory,
  type StagedFile,
} from "@ragline/artifacts";
import type { DenseBlock, SparseBlock } from "@ragline/vectors";
import { ChunkFiles, type ExportedChunk } from "./chunk-files.js";
import { DenseFiles } from "./dense-files.js";
import { type ExportPlan, inputError, type ResolvedPlan, resolvePlan } from "./export-plan.js";
import { FaissFiles } from "./faiss-files.js";
import { parseObject } from "./parse-object.js";
import { SparseSpool } from "./sparse-spool.js";
import { staleFiles } from "./stale-files.js";
import { writePoints } from "./write-points.js";

/**
 * The files of one run, all of them or none: rows are staged as they come (in any order of models, but each model's in
 * order), `finish` makes the files that need all of them, `commit` moves everything into place with the manifest last.
 * Every method throws ArtifactError: INVALID_ARGUMENT for what the caller sent, others for what the file system did.
 * After an error the only thing left to do is `abort`. Memory does not grow with the number of chunks, except for the FAISS
 * files that FaissFiles tells of.
 */
export class ExportRun {
  readonly #plan: ResolvedPlan;
  readonly #names: ArtifactNames;
  readonly #data: StagedDirectory;
  /** Where the manifest goes; another directory when the plan says so. */
  readonly #summary: StagedDirectory;
  readonly #files: ReadonlyMap<string, StagedFile>;
  readonly #chunkSpool: StagedFile;
  readonly #chunks: ChunkFiles;
  readonly #faiss: FaissFiles;
  readonly #dense: ReadonlyMap<string, DenseFiles>;
  readonly #sparse: ReadonlyMap<string, SparseSpool>;
  #outputs: OutputFile[] | undefined;

  private constructor(
    plan: ResolvedPlan,
    directories: { data: StagedDirectory; summary: StagedDirectory },
    files: ReadonlyMap<string, StagedFile>,
    faiss: FaissFiles,
    spools: { chunks: StagedFile; sparse: readonly StagedFile[] },
  ) {
    const json = new JsonBytes();
    const names = artifactNames(plan.prefix);
    const fileOf = (name: string) => fileNamed(files, name);
    this.#plan = plan;
    this.#names = names;
    this.#data = directories.data;
    this.#summary = directories.summary;
    this.#files = files;
    this.#faiss = faiss;
    this.#chunkSpool = spools.chunks;
    this.#chunks = new ChunkFiles(
      json,
      { texts: fileOf(names.texts), metadata: fileOf(names.metadata), spool: spools.chunks },
      { dense: plan.dense, sparse: plan.sparse.length > 0 },
    );
    this.#dense = new Map(
      plan.dense.map((space, i) => {
        const targets = [fileOf(plan.embeddings[i] ?? ""), ...(i === 0 ? faiss.rowFiles : [])];
        return [space.name, new DenseFiles(space, plan.chunkCount, targets)];
      }),
    );
    this.#sparse = new Map(
      spools.sparse.map((file, i) => {
        const name = plan.sparse[i] ?? "";
        return [name, new SparseSpool(name, plan.chunkCount, json, file)];
      }),
    );
  }

  /** Checks the plan, makes the output directory and stages the files. */
  static async open(given: ExportPlan): Promise<ExportRun> {
    const plan = resolvePlan(given);
    const data = await StagedDirectory.open(plan.outputDir);
    let summary = data;
    try {
      const summaryDir = dirname(plan.summaryPath);
      if (summaryDir !== plan.outputDir) summary = await StagedDirectory.open(summaryDir, { exclusive: false });
      const files = new Map<string, StagedFile>();
      for (const name of plan.files) files.set(name, await data.create(name));
      for (const [i, name] of plan.embeddings.entries()) {
        await fileNamed(files, name).write(npyHeader(plan.chunkCount, plan.dense[i]?.dimension ?? 0));
      }
      const names = artifactNames(plan.prefix);
      const faiss = await FaissFiles.open(
        { kind: plan.faissIndex, index: files.get(names.index), ids: files.get(names.indexIds) },
        plan.chunkCount,
        plan.dense[0]?.dimension ?? 0,
      );
      const sparse: StagedFile[] = [];
      for (const i of plan.sparse.keys()) sparse.push(await data.create(`.spool-sparse-${i}`));
      const chunks = await data.create(".spool-chunks");
      return new ExportRun(plan, { data, summary }, files, faiss, { chunks, sparse });
    } catch (error) {
      if (summary !== data) await summary.abort();
      await data.abort();
      throw error;
    }
  }

  /** Takes the next chunks. */
  async chunks(chunks: readonly ExportedChunk[]): Promise<void> {
    this.#assertOpen();
    if (this.#chunks.count + chunks.length > this.#plan.chunkCount) {
      throw inputError(
        `${this.#chunks.count + chunks.length} chunks were sent, but the export was opened for ${this.#plan.chunkCount}.`,
      );
    }
    for (const chunk of chunks) {
      await this.#chunks.add(chunk);
      this.#faiss.addPoint(chunk.id);
    }
  }

  /** Takes the next rows of a dense model. */
  async dense(space: string, block: DenseBlock): Promise<void> {
    this.#assertOpen();
    const files = this.#dense.get(space);
    if (!files) throw unknownSpace("dense", space, this.#dense);
    await files.add(block);
  }

  /** Takes the next rows of a sparse model. */
  async sparse(space: string, block: SparseBlock): Promise<void> {
    this.#assertOpen();
    const spool = this.#sparse.get(space);
    if (!spool) throw unknownSpace("sparse", space, this.#sparse);
    await spool.add(block);
  }

  /** Takes lines of the file of fused candidates or of the rerank file, one JSON object each. */
  async lines(kind: "fused" | "rerank", lines: readonly string[]): Promise<void> {
    this.#assertOpen();
    if (!this.#plan[kind]) throw inputError(`A ${kind} line was sent, but the export was opened without ${kind}.`);
    const file = fileNamed(this.#files, this.#names[kind]);
    const json = new JsonBytes();
    for (const line of lines) {
      const value = parseObject(line);
      if (!value) throw inputError(`A ${kind} line is not a JSON object.`);
      await file.write(json.clear().value(value).text("\n").bytes);
    }
  }

  /**
   * Checks that every row came, writes the files that need all of them, and closes and hashes everything.
   * @param signal stops the work.
   * @returns the files in the order of placing, the manifest not among them.
   */
  async finish(signal?: AbortSignal): Promise<readonly OutputFile[]> {
    this.#assertOpen();
    this.#assertComplete();
    const plan = this.#plan;
    const names = this.#names;
    await this.#chunks.end();
    await this.#faiss.endIds();
    await fileNamed(this.#files, names.stats).write(Buffer.from(`${JSON.stringify(this.#stats(), null, 2)}\n`));
    const made = new Set([names.qdrant, names.sparse]);
    if (plan.faissIndex === "hnsw") made.add(names.index);
    const outputs = new Map<string, OutputFile>();
    for (const [name, file] of this.#files) if (!made.has(name)) outputs.set(name, await file.finish());
    await this.#chunkSpool.finish();
    for (const { file } of this.#sparse.values()) await file.finish();
    const pathOf = (name: string) => fileNamed(this.#files, name).path;
    await this.#faiss.writeGraph(pathOf(names.embeddings), signal);
    await writePoints(
      {
        chunks: this.#chunkSpool.path,
        dense: plan.dense.map(({ name }, i) => ({ name, path: pathOf(plan.embeddings[i] ?? "") })),
        sparse: [...this.#sparse.values()].map(({ name, file }) => ({ name, path: file.path })),
      },
      plan.chunkCount,
      { qdrant: fileNamed(this.#files, names.qdrant), sparse: this.#files.get(names.sparse) },
      signal,
    );
    for (const [name, file] of this.#files) if (made.has(name)) outputs.set(name, await file.finish());
    this.#outputs = plan.files.flatMap((name) => outputs.get(name) ?? []);
    return this.#outputs;
  }

  /**
   * Puts everything in place, the manifest last. An older run's manifest goes first, and with it those of its files that
   * this run does not replace. When a file cannot be placed, the directory is as it was after `abort`.
   * @param json the manifest, written as it is.
   * @returns the manifest's path.
   */
  async commit(json: string): Promise<string> {
    const { summaryPath, files } = this.#plan;
    const manifest = parseSentManifest(json);
    this.#assertAgrees(manifest);
    const summaryName = basename(summaryPath);
    const file = await this.#summary.create(summaryName);
    await file.write(Buffer.from(json));
    await file.finish();
    const stale = await staleFiles(this.#plan);
    await this.#summary.place([], [summaryName]);
    await this.#data.place(files, stale);
    await this.#summary.place([summaryName]);
    await this.#data.close();
    if (this.#summary !== this.#data) await this.#summary.close();
    return summaryPath;
  }

  /** Removes everything that was staged and brings back what `commit` had already replaced. */
  async abort(): Promise<void> {
    if (this.#summary !== this.#data) await this.#summary.abort();
    await this.#data.abort();
  }

  #assertOpen(): void {
    if (this.#outputs) throw inputError("The export was finished already. Send the manifest, or open a new export.");
  }

  #assertComplete(): void {
    const { chunkCount } = this.#plan;
    const counts: [name: string, rows: number][] = [["chunks", this.#chunks.count]];
    for (const { space, rows } of this.#dense.values()) counts.push([space.name, rows]);
    for (const { name, rows } of this.#sparse.values()) counts.push([name, rows]);
    const missing = counts
      .filter(([, rows]) => rows < chunkCount)
      .map(([name, rows]) => `${name} (${rows} of ${chunkCount})`);
    if (missing.length > 0) throw inputError(`The export is not complete. Rows are missing of: ${missing.join(", ")}.`);
  }

  #stats(): RunStats {
    const { collection, chunkCount, embeddings } = this.#plan;
    return {
      collection,
      chunk_count: chunkCount,
      text_characters: this.#chunks.textCharacters,
      dense: [...this.#dense.values()].map(({ space, norm }, i) => ({
        name: space.name,
        hugging_face_id: space.huggingFaceId,
        dimension: space.dimension,
        embeddings: embeddings[i] ?? "",
        norm,
      })),
    };
  }

  /** A manifest that tells of other files than these must never be put beside them. */
  #assertAgrees(manifest: Manifest): void {
    const { collection, chunkCount } = this.#plan;
    if (!this.#outputs) throw inputError("The manifest came before the export was finished. Send finish first.");
    if (manifest.collection !== collection || manifest.chunk_count !== chunkCount) {
      throw inputError(
        `The manifest is of ${manifest.chunk_count} chunks of ${manifest.collection}, but the export is of ${chunkCount} chunks of ${collection}.`,
      );
    }
    const hashes = new Map(this.#outputs.map(({ name, sha256 }) => [name, sha256]));
    const wrong = manifest.outputs?.find(({ name, sha256 }) => hashes.get(name) !== sha256);
    if (wrong)
      throw inputError(
        `The manifest lists ${wrong.name} with another hash than the staged file has, or there is no such file.`,
      );
  }
}

function parseSentManifest(json: string): Manifest {
  try {
    return parseManifest(json, "that was sent");
  } catch (error) {
    throw inputError(error instanceof Error ? error.message : String(error));
  }
}

function fileNamed(files: ReadonlyMap<string, StagedFile>, name: string): StagedFile {
  const file = files.get(name);
  if (!file) throw new Error(`${name} is not among the staged files`);
  return file;
}

function unknownSpace(kind: string, name: string, spaces: ReadonlyMap<string, unknown>): Error {
  return inputError(
    `The export has no ${kind} model ${JSON.stringify(name)}. Its ${kind} models: ${[...spaces.keys()].join(", ") || "none"}.`,
  );
}
