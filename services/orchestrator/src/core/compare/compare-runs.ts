import { join } from "node:path";
import { ArtifactError, artifactNames, comparePointIds, type Manifest, type PointComparison } from "@ragline/artifacts";
import { usageError } from "../usage-error.js";
import {
  compareFiles,
  compareFindings,
  compareInputs,
  compareMemory,
  compareModels,
  compareSettings,
  compareSpeed,
  compareVersions,
  type Measure,
  type NamedChange,
  type SetComparison,
} from "./compare-parts.js";
import { compareQuality, type QualityComparison } from "./compare-quality.js";
import { type ComparedRun, readComparedRun } from "./compared-run.js";

/** What a comparison says of one of its runs. */
export interface RunSide {
  readonly dir: string;
  readonly collection: string;
  readonly runId: string | null;
  readonly generatedAt: string | null;
  readonly chunks: number;
}

/** Something that keeps runs from being compared in full. */
export interface CompareWarning {
  readonly kind: "different-collections" | "different-queries" | "no-query-ranks" | "no-point-ids" | "no-settings";
  readonly count: number;
  readonly detail: string;
}

/** What differs between two runs, as `ragline compare --json` prints it. It holds no clock of its own. */
export interface RunComparison {
  readonly a: RunSide;
  readonly b: RunSide;
  /** Null where a manifest names no settings; a warning says so. */
  readonly configuration: readonly NamedChange<{ readonly value: unknown; readonly layer: string }>[] | null;
  readonly versions: readonly NamedChange<string>[];
  readonly models: SetComparison;
  readonly inputs: SetComparison;
  readonly files: SetComparison;
  /** Null where the ids cannot be compared; a warning says why. */
  readonly points: PointComparison | null;
  readonly quality: QualityComparison;
  readonly speed: readonly Measure[];
  readonly memory: readonly Measure[];
  /** Outcomes and anomalies that one run has more often than the other. */
  readonly findings: readonly NamedChange<number>[];
  readonly warnings: readonly CompareWarning[];
}

function sideOf({ dir, manifest }: ComparedRun): RunSide {
  const { collection, run_id: runId = null, generated_at: generatedAt = null, chunk_count: chunks } = manifest;
  return { dir, collection, runId, generatedAt, chunks };
}

const hashesOf = ({ inputs = [] }: Manifest): Set<string> =>
  new Set(inputs.flatMap(({ sha256 }) => (sha256 === undefined ? [] : sha256)));

/**
 * Runs of collections with different names are compared as far as they go when they read a file in common, or when that is
 * not known.
 * @throws RaglineError INVALID_ARGUMENT when they have nothing in common.
 */
function checkCollections(a: Manifest, b: Manifest): CompareWarning[] {
  if (a.collection === b.collection) return [];
  const [hashesA, hashesB] = [hashesOf(a), hashesOf(b)];
  const shared = [...hashesA].filter((hash) => hashesB.has(hash)).length;
  if (shared === 0 && hashesA.size > 0 && hashesB.size > 0)
    throw usageError(
      "DIFFERENT_COLLECTIONS",
      `the runs are of different collections: ${a.collection} (${hashesA.size} input files) and ${b.collection} (${hashesB.size}) have no input file in common; compare runs of the same documents`,
    );
  return [
    {
      kind: "different-collections",
      count: shared,
      detail: `the runs are of the collections ${a.collection} and ${b.collection}, which have ${shared} input files in common; ids of points are made from the collection's name and are not compared`,
    },
  ];
}

function queryWarnings(a: Manifest, b: Manifest, { queries }: QualityComparison): CompareWarning[] {
  const silent = [a, b].filter(({ evaluation }) => evaluation && !evaluation.per_query).length;
  if (silent > 0)
    return [
      {
        kind: "no-query-ranks",
        count: silent,
        detail: `${silent} of the manifests have no figures of single queries (they are of an earlier version), so nothing can be tested`,
      },
    ];
  const { same, onlyA, onlyB } = queries;
  const alone = onlyA + onlyB;
  const detail = `${onlyA} queries are of the first run alone and ${onlyB} of the second; differences and tests are over the ${same} that both have`;
  return alone > 0 ? [{ kind: "different-queries", count: alone, detail }] : [];
}

const noSettings: CompareWarning = {
  kind: "no-settings",
  count: 1,
  detail: "a manifest names no settings (it is of an earlier version), so that configurations cannot be compared",
};

async function comparePoints(a: ComparedRun, b: ComparedRun): Promise<PointComparison | CompareWarning> {
  try {
    const pathOf = ({ dir, prefix }: ComparedRun): string => join(dir, artifactNames(prefix).qdrant);
    return await comparePointIds(pathOf(a), pathOf(b));
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    return { kind: "no-point-ids", count: 1, detail: `the points cannot be compared: ${error.message}` };
  }
}

/**
 * Compares two runs: what they were asked, what they read and wrote, how good their rankings are, how fast they were.
 * @param pathA directory or manifest of the first run.
 * @param pathB of the second; differences are b - a, ratios b / a.
 * @throws ArtifactError when there is no run; RaglineError INVALID_ARGUMENT for runs that have nothing in common.
 */
export async function compareRuns(pathA: string, pathB: string): Promise<RunComparison> {
  const [a, b] = [await readComparedRun(pathA), await readComparedRun(pathB)];
  const collectionWarnings = checkCollections(a.manifest, b.manifest);
  const quality = compareQuality(a.manifest, b.manifest);
  const points = collectionWarnings.length === 0 ? await comparePoints(a, b) : null;
  const pointWarning = points !== null && "kind" in points ? points : undefined;
  const configuration = compareSettings(a.manifest, b.manifest);
  return {
    a: sideOf(a),
    b: sideOf(b),
    configuration,
    versions: compareVersions(a.manifest, b.manifest),
    models: compareModels(a.manifest, b.manifest),
    inputs: compareInputs(a.manifest, b.manifest),
    files: compareFiles(a, b),
    points: points !== null && "same" in points ? points : null,
    quality,
    speed: compareSpeed(a.manifest, b.manifest),
    memory: compareMemory(a.manifest, b.manifest),
    findings: compareFindings(a.manifest, b.manifest),
    warnings: [
      ...collectionWarnings,
      ...(configuration === null ? [noSettings] : []),
      ...queryWarnings(a.manifest, b.manifest, quality),
      ...(pointWarning ? [pointWarning] : []),
    ],
  };
}

/** Figures of the second run that are worse beyond chance: p below 0.05. */
export function significantlyWorse({ quality }: RunComparison): QualityComparison["changes"] {
  return quality.changes.filter(({ paired }) => paired !== null && paired.difference < 0 && paired.p < 0.05);
}
