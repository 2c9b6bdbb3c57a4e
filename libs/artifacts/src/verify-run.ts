import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ArtifactError } from "./artifact-error.js";
import { type ArtifactNames, artifactNames, MANIFEST_NAME } from "./artifact-names.js";
import { HashedReader } from "./hashed-reader.js";
import { type Manifest, manifestPrefix, parseManifest } from "./manifest.js";
import { checkManifestSeal } from "./manifest-seal.js";
import { manifestWarnings } from "./manifest-warnings.js";
import { readManifestBytes } from "./read-manifest.js";
import { REPORT_NAME, readReportMark } from "./report-mark.js";
import { sha256Of } from "./sha256-file.js";
import { type RunContents, verifyContents } from "./verify-contents.js";
import { type VerifyProblem, VerifyProblems } from "./verify-problems.js";

/** How {@link verifyRun} verifies. */
export interface VerifyRunOptions {
  /** Path of the manifest. @default processing_summary.json in the run's directory */
  readonly summaryPath?: string;
  /**
   * Size of a sparse model's vocabulary, which its indices must stay below; undefined for a model that is not known.
   * @default no limit but that of Qdrant, 2^32
   */
  readonly vocabularySize?: (model: string) => number | undefined;
  /** Called after every read with the bytes read so far and those that there are. */
  readonly onProgress?: (readBytes: number, totalBytes: number) => void;
  /** Stops the verification. */
  readonly signal?: AbortSignal;
}

/** A file of a run as it was found. */
export interface VerifiedFile {
  readonly name: string;
  /** 0 for a file that is not there. */
  readonly bytes: number;
  /** Lowercase hexadecimal; empty for a file that is not there. */
  readonly sha256: string;
  /** Whether size and hash are those in the manifest; of the manifest itself, whether its own checksum holds. */
  readonly intact: boolean;
}

/** What a verification found. The run is sound when there are no problems. */
export interface RunVerification {
  /** Absolute path. */
  readonly dir: string;
  readonly collection: string;
  /** Files in the manifest's order, the manifest last. */
  readonly files: readonly VerifiedFile[];
  readonly problems: readonly VerifyProblem[];
  /** What the manifest makes one wonder about, without anything being wrong with the files. */
  readonly warnings: readonly string[];
  /** How much was looked at. */
  readonly checked: RunContents & { readonly bytes: number };
}

const nothing: RunContents = { chunks: 0, denseVectors: 0, sparseVectors: 0, points: 0, rerankedQueries: 0 };

/**
 * Verifies the output directory of a run against its manifest and against itself: every listed file is read once, hashed,
 * and its contents are compared with those of the other files, row by row. Memory does not grow with the run but for 24
 * to 40 bytes per chunk.
 * @throws ArtifactError NOT_FOUND when no run has finished there; the signal's reason when aborted.
 */
export async function verifyRun(dir: string, options: VerifyRunOptions = {}): Promise<RunVerification> {
  const root = resolve(dir);
  const summaryPath = resolve(options.summaryPath ?? join(root, MANIFEST_NAME));
  const summaryName = basename(summaryPath);
  const problems = new VerifyProblems();
  const bytes = await readManifestBytes(summaryPath);
  const seal = checkManifestSeal(bytes);
  if (seal === "broken")
    problems.add(summaryName, "manifest", "was changed: its manifest_sha256 is not that of its bytes");
  if (seal === "missing")
    problems.add(
      summaryName,
      "manifest",
      "has no manifest_sha256 as its last key, so that changes in it cannot be found",
    );
  const summary = { name: summaryName, bytes: bytes.length, sha256: sha256Of(bytes), intact: seal === "intact" };
  const result = (
    collection: string,
    files: readonly VerifiedFile[],
    warnings: readonly string[],
    checked: RunContents,
  ) => ({
    dir: root,
    collection,
    files: [...files, summary],
    problems: problems.list(),
    warnings,
    checked: { ...checked, bytes: files.reduce((sum, file) => sum + file.bytes, bytes.length) },
  });

  let manifest: Manifest;
  try {
    manifest = parseManifest(bytes.toString(), summaryPath);
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    problems.add(summaryName, "manifest", `cannot be read: ${error.message}`);
    return result("", [], [], nothing);
  }
  const names = artifactNames(manifestPrefix(manifest));
  checkListing(manifest, names, summaryName, problems);
  const readers = await openOutputs(root, manifest, problems, options);
  try {
    const checked = await verifyContents({ root, manifest, names, readers, problems, summaryName }, options);
    const files: VerifiedFile[] = [];
    for (const output of manifest.outputs ?? [])
      files.push(await verifyFile(output, readers.get(output.name), problems));
    const sameDirectory = dirname(summaryPath) === root;
    await findUnlisted(root, [...files.map(({ name }) => name), sameDirectory ? summaryName : ""], names, problems);
    return result(
      manifest.collection,
      files,
      [...manifestWarnings(manifest), ...(await reportWarnings(root, manifest))],
      checked,
    );
  } finally {
    for (const reader of readers.values()) await reader.close();
  }
}

/** The manifest must list what every run writes, each file once. */
function checkListing(manifest: Manifest, names: ArtifactNames, summaryName: string, problems: VerifyProblems): void {
  const listed = (manifest.outputs ?? []).map(({ name }) => name);
  if (listed.length === 0) {
    problems.add(summaryName, "manifest", "lists no outputs, so that the files cannot be compared with it");
    return;
  }
  const expected = [names.embeddings, names.metadata, names.texts, names.stats, names.qdrant];
  if (manifest.sparse_run?.executed) expected.push(names.sparse);
  if (manifest.rerank_run?.executed) expected.push(names.rerank);
  for (const name of expected)
    if (!listed.includes(name)) problems.add(summaryName, "manifest", `does not list ${name}`);
  for (const name of new Set(listed))
    if (listed.indexOf(name) !== listed.lastIndexOf(name)) problems.add(summaryName, "manifest", `lists ${name} twice`);
}

/** Opens every listed file that can be opened. */
async function openOutputs(
  root: string,
  { outputs = [] }: Manifest,
  problems: VerifyProblems,
  { onProgress, signal }: VerifyRunOptions,
): Promise<Map<string, HashedReader>> {
  const readers = new Map<string, HashedReader>();
  let [readBytes, totalBytes] = [0, 0];
  const onBytes = (bytes: number): void => {
    readBytes += bytes;
    onProgress?.(readBytes, totalBytes);
  };
  for (const { name } of outputs) {
    // A name with a path in it was not written by an export.
    if (readers.has(name) || basename(name) !== name || name === "..") continue;
    try {
      const reader = await HashedReader.open(join(root, name), { onBytes, ...(signal ? { signal } : {}) });
      totalBytes += reader.size;
      readers.set(name, reader);
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error;
      const isThere = error.reason !== "NOT_FOUND";
      problems.add(
        name,
        "missing",
        isThere ? `cannot be read: ${error.message}` : "is listed in the manifest, but is not there",
      );
    }
  }
  return readers;
}

type Output = NonNullable<Manifest["outputs"]>[number];

/** Reads what is left of a file and compares it with what the manifest says. */
async function verifyFile(
  { name, bytes: listedBytes, sha256: listedHash }: Output,
  reader: HashedReader | undefined,
  problems: VerifyProblems,
): Promise<VerifiedFile> {
  const absent = { name, bytes: 0, sha256: "", intact: false };
  if (!reader) return absent;
  try {
    const { bytes, sha256 } = await reader.finish();
    const intact = bytes === listedBytes && sha256 === listedHash;
    if (bytes !== listedBytes) problems.add(name, "hash", `has ${bytes} bytes, but the manifest says ${listedBytes}`);
    else if (!intact) problems.add(name, "hash", "has another sha256 than the manifest says: its bytes were changed");
    return { name, bytes, sha256, intact };
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    problems.add(name, "missing", `cannot be read: ${error.message}`);
    return absent;
  }
}

/** The report page holds times, so the manifest lists no hash of it; it names the manifest that it was drawn from. */
async function reportWarnings(root: string, { manifest_sha256: expected = "" }: Manifest): Promise<string[]> {
  const found = await readReportMark(join(root, REPORT_NAME));
  if (found === undefined || found === expected) return [];
  return [`${REPORT_NAME} is the page of another run than this manifest's.`];
}

/** Files under the run's prefix that are not the run's, and what a killed run left. */
async function findUnlisted(
  root: string,
  listed: readonly string[],
  names: ArtifactNames,
  problems: VerifyProblems,
): Promise<void> {
  const prefix = names.texts.slice(0, -"texts.json".length);
  for (const name of await readdir(root)) {
    if (listed.includes(name) || name === names.searchIndex) continue;
    if (name.startsWith(".ragline-")) problems.add(name, "unlisted", "was left by a run that did not finish");
    else if (name.startsWith(prefix))
      problems.add(name, "unlisted", "has the run's prefix, but the manifest does not list it");
  }
}
