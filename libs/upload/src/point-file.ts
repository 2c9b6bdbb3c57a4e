import { join } from "node:path";
import { type Run, readLines, sha256File } from "@ragline/artifacts";
import type { CollectionSchema } from "./collection-schema.js";
import { type Point, pointProblem } from "./point-problem.js";
import { UploadError } from "./upload-error.js";

/** What a check of a points' file found. */
export interface PointFile {
  readonly path: string;
  readonly sha256: string;
  readonly points: number;
  readonly bytes: number;
}

/** Points that go out in one request. */
export interface PointBatch {
  /** Line of the first, from 0. */
  readonly firstPoint: number;
  readonly points: readonly Point[];
}

const advice = "Run again to write it anew.";

// 8 bytes a point: the first half of a UUIDv5 has 60 bits of its hash, enough to tell points apart.
const idPrefix = (id: string): bigint => BigInt(`0x${id.slice(0, 18).replaceAll("-", "")}`);

/**
 * Reads all of a run's points and checks them, so that nothing is sent of a file that is damaged further down.
 * @param onChecked told the number of points checked so far, after each.
 * @throws UploadError INVALID_RUN, ArtifactError when the file cannot be read.
 */
export async function checkPointFile(
  run: Run,
  schema: CollectionSchema,
  onChecked: (points: number) => void,
): Promise<PointFile> {
  const path = join(run.dir, run.names.qdrant);
  const fail = (problem: string, cause?: unknown) =>
    new UploadError("INVALID_RUN", `${path} ${problem}. ${advice}`, cause === undefined ? {} : { cause });
  const sha256 = await sha256File(path);
  const recorded = run.manifest.outputs?.find(({ name }) => name === run.names.qdrant)?.sha256;
  if (recorded !== undefined && recorded !== sha256)
    throw fail("is not the file that the manifest lists (its sha256 differs)");
  const ids = new BigUint64Array(run.chunkCount);
  let points = 0;
  let bytes = 0;
  for await (const line of readLines(path)) {
    let point: unknown;
    try {
      point = JSON.parse(line.bytes.toString());
    } catch (error) {
      throw fail(`is not valid JSON in line ${line.number + 1}`, error);
    }
    const problem = pointProblem(point, schema);
    if (problem !== undefined)
      throw fail(`holds a point that no collection of the run takes: line ${line.number + 1} ${problem}`);
    ids[points++] = idPrefix((point as Point).id);
    bytes += line.bytes.length;
    onChecked(points);
  }
  if (points !== run.chunkCount) throw fail(`has ${points} points, but the run has ${run.chunkCount} chunks`);
  ids.sort();
  const twice = ids.findIndex((id, i) => i > 0 && id === ids[i - 1]);
  if (twice !== -1)
    throw fail(`has two points with one id (it begins with ${ids[twice]?.toString(16).padStart(16, "0").slice(0, 8)})`);
  return { path, sha256, points, bytes };
}

/** What one request may hold at most; a single point may be larger. */
export interface BatchLimits {
  readonly maxPoints: number;
  readonly maxBytes: number;
}

/** The points of a checked file from a line on, in batches of as many as the limits allow. */
export async function* readBatches(
  { path }: PointFile,
  fromPoint: number,
  { maxPoints, maxBytes }: BatchLimits,
): AsyncGenerator<PointBatch, void, undefined> {
  let points: Point[] = [];
  let bytes = 0;
  let firstPoint = fromPoint;
  for await (const line of readLines(path)) {
    if (line.number < fromPoint) continue;
    if (points.length > 0 && (points.length >= maxPoints || bytes + line.bytes.length > maxBytes)) {
      yield { firstPoint, points };
      firstPoint += points.length;
      points = [];
      bytes = 0;
    }
    points.push(JSON.parse(line.bytes.toString()) as Point);
    bytes += line.bytes.length;
  }
  if (points.length > 0) yield { firstPoint, points };
}

/** Up to `count` points, evenly spread over the first `before` lines. */
export async function samplePoints({ path }: PointFile, before: number, count: number): Promise<Point[]> {
  const wanted = new Set(
    Array.from({ length: Math.min(count, before) }, (_, i) => Math.floor((i * before) / Math.min(count, before))),
  );
  const points: Point[] = [];
  for await (const line of readLines(path)) {
    if (line.number >= before) break;
    if (wanted.has(line.number)) points.push(JSON.parse(line.bytes.toString()) as Point);
  }
  return points;
}
