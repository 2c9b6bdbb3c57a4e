import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ArtifactError } from "./artifact-error.js";
import { MANIFEST_NAME } from "./artifact-names.js";
import { manifestPrefix, parseManifest } from "./manifest.js";
import { readManifestBytes } from "./read-manifest.js";
import { runStatsSchema } from "./run-stats.js";
import { sha256File, sha256Of } from "./sha256-file.js";

/** A dense file of two runs. */
export interface DenseComparison {
  /** What the file is: its name without the prefix, such as "embeddings.npy". */
  readonly part: string;
  /** SHA-256 in the run; undefined when the file is not there. */
  readonly run: string | undefined;
  /** SHA-256 in the baseline; undefined when the file is not there. */
  readonly baseline: string | undefined;
  readonly equal: boolean;
}

/** How {@link compareDense} compares. */
export interface CompareDenseOptions {
  /** Path of the run's manifest. @default processing_summary.json in the run's directory */
  readonly summaryPath?: string;
}

const statsPart = "stats.json";
const densePart = /^(?:(?:.+_)?embeddings\.npy|index\.faiss|index_ids\.faiss|metadata\.json|texts\.json|stats\.json)$/;

/**
 * The dense-only parity check: compares what does not depend on sparse vectors and reranking by hash, file by file: the
 * matrix of every dense model, FAISS indexes, metadata, texts and stats. The runs' prefixes may differ: in the stats file,
 * which names the matrices, they are left out of the hash.
 * @throws ArtifactError when there is no run, or its manifest cannot be read.
 */
export async function compareDense(
  dir: string,
  baselineDir: string,
  { summaryPath }: CompareDenseOptions = {},
): Promise<DenseComparison[]> {
  const baseline = await denseHashes(baselineDir, join(baselineDir, MANIFEST_NAME));
  const run = await denseHashes(dir, summaryPath ?? join(dir, MANIFEST_NAME));
  return [...new Set([...run.keys(), ...baseline.keys()])].map((part) => {
    const [ours, theirs] = [run.get(part), baseline.get(part)];
    return { part, run: ours, baseline: theirs, equal: ours === theirs && ours !== undefined };
  });
}

/** Hash by part. */
async function denseHashes(dir: string, summaryPath: string): Promise<Map<string, string | undefined>> {
  const path = resolve(summaryPath);
  const manifest = parseManifest((await readManifestBytes(path)).toString(), path);
  const lead = `${manifestPrefix(manifest)}_`;
  const names = manifest.outputs?.map(({ name }) => name) ?? (await readdir(dir)).sort();
  const hashes = new Map<string, string | undefined>();
  for (const name of names) {
    const part = name.slice(lead.length);
    if (!name.startsWith(lead) || !densePart.test(part)) continue;
    const file = resolve(dir, name);
    try {
      hashes.set(part, part === statsPart ? await statsHash(file, lead) : await sha256File(file));
    } catch (error) {
      if (!(error instanceof ArtifactError) || error.reason !== "NOT_FOUND") throw error;
      hashes.set(part, undefined);
    }
  }
  return hashes;
}

/** Hash of a stats file with the names of the matrices without their prefix; of the bytes when it is damaged. */
async function statsHash(path: string, lead: string): Promise<string> {
  const bytesHash = await sha256File(path);
  try {
    const stats = runStatsSchema.parse(JSON.parse(await readFile(path, "utf8")));
    const dense = stats.dense.map((space) => ({ ...space, embeddings: space.embeddings.replace(lead, "") }));
    return sha256Of(JSON.stringify({ ...stats, dense }));
  } catch {
    return bytesHash;
  }
}
