import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { ArtifactError, artifactNames, assertSafeName, MANIFEST_NAME } from "@ragline/artifacts";

/** A dense model of the run. */
export interface DenseSpacePlan {
  /** Registry key; also the name of the vector in Qdrant. */
  readonly name: string;
  readonly dimension: number;
  readonly huggingFaceId: string;
}

/** The FAISS index over the primary model: exact, a graph, or no file. */
export type FaissIndexKind = "flat" | "hnsw" | "none";

/** What a run will send, as told when it opens. */
export interface ExportPlan {
  /** Absolute path. */
  readonly outputDir: string;
  readonly collection: string;
  /** File name prefix. @default the collection's name */
  readonly prefix?: string;
  /** At least one; the first is primary. */
  readonly dense: readonly DenseSpacePlan[];
  /** Names of the sparse models, primary first. */
  readonly sparse: readonly string[];
  readonly chunkCount: number;
  /** Whether rerank lines will come. */
  readonly rerank: boolean;
  /** @default "flat" */
  readonly faissIndex?: FaissIndexKind;
  /** Whether to write a flat FAISS index with ids made from those of the points as well. @default false */
  readonly faissIds?: boolean;
  /** Whether lines of fused candidates will come. @default false */
  readonly fused?: boolean;
  /** Absolute path of the manifest. @default processing_summary.json in the output directory */
  readonly summaryPath?: string;
}

/** A plan whose every part was checked, and the files that follow from it. */
export interface ResolvedPlan extends Required<ExportPlan> {
  /** Files in the order of placing: dense and metadata, then sparse, then fused, then rerank. */
  readonly files: readonly string[];
  /** The `.npy` file of each dense model, in the order of `dense`. */
  readonly embeddings: readonly string[];
}

/** An error of the caller, as a sentence. */
export const inputError = (message: string) => new ArtifactError("INVALID_ARGUMENT", message);

/**
 * Checks a plan and fills in what it leaves out.
 * @throws ArtifactError INVALID_ARGUMENT.
 */
export function resolvePlan(plan: ExportPlan): ResolvedPlan {
  const { collection, dense, sparse, chunkCount, rerank } = plan;
  const { faissIndex = "flat", faissIds = false, fused = false } = plan;
  if (!isAbsolute(plan.outputDir))
    throw inputError(`The output directory "${plan.outputDir}" must be an absolute path.`);
  const outputDir = resolve(plan.outputDir);
  if (collection === "") throw inputError("The collection has no name. Give it one.");
  const prefix = plan.prefix ?? collection;
  assertSafeName(prefix, "export prefix");
  if (!Number.isSafeInteger(chunkCount) || chunkCount < 1)
    throw inputError(`There is nothing to export: the chunk count is ${chunkCount}.`);
  if (dense.length === 0) throw inputError("The export has no dense model. Name at least one; the first is primary.");
  for (const { name, dimension } of dense) {
    assertSafeName(name, "dense model name");
    if (!Number.isInteger(dimension) || dimension < 1)
      throw inputError(`The dense model ${name} has dimension ${dimension}; it must be at least 1.`);
  }
  for (const name of sparse) assertSafeName(name, "sparse model name");
  const spaces = [...dense.map(({ name }) => name), ...sparse];
  const repeated = spaces.find((name, i) => spaces.indexOf(name) !== i);
  if (repeated !== undefined)
    throw inputError(`The model ${repeated} is named twice. Names of dense and sparse models must all differ.`);

  const names = artifactNames(prefix);
  const embeddings = dense.map(({ name }, i) => (i === 0 ? names.embeddings : names.companionEmbeddings(name)));
  const files = [
    ...embeddings,
    ...(faissIndex === "none" ? [] : [names.index]),
    ...(faissIds ? [names.indexIds] : []),
    names.metadata,
    names.texts,
    names.stats,
    names.qdrant,
    ...(sparse.length > 0 ? [names.sparse] : []),
    ...(fused ? [names.fused] : []),
    ...(rerank ? [names.rerank] : []),
  ];
  const summaryPath = plan.summaryPath ?? join(outputDir, MANIFEST_NAME);
  if (!isAbsolute(summaryPath)) throw inputError(`The summary path "${summaryPath}" must be absolute.`);
  if (dirname(summaryPath) === outputDir && files.includes(basename(summaryPath))) {
    throw inputError(
      `The summary path ${summaryPath} is the name of a data file. Choose another name for the summary.`,
    );
  }
  return {
    ...plan,
    outputDir,
    prefix,
    faissIndex,
    faissIds,
    fused,
    summaryPath: resolve(summaryPath),
    files,
    embeddings,
  };
}
