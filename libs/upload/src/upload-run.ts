import { assertSafeName, type Run } from "@ragline/artifacts";
import { type CollectionSchema, collectionSchema, schemaDifferences } from "./collection-schema.js";
import { isSamePoint } from "./is-same-point.js";
import { checkPointFile, type PointFile, readBatches, samplePoints } from "./point-file.js";
import { parseQdrantUrl } from "./qdrant-address.js";
import { QdrantConnection, type UploadRetry } from "./qdrant-connection.js";
import { UploadError } from "./upload-error.js";
import { UploadState } from "./upload-state.js";

/** Where a run goes, and how. */
export interface UploadOptions {
  /** http or https URL of the server; without a port it is 6333. */
  readonly url: string;
  /** Name of the collection there. @default the run's collection */
  readonly collection?: string;
  /** Sent as `api-key`; never part of a message. @default none */
  readonly apiKey?: string;
  /** Points in one request at most. @default 256 */
  readonly maxBatchPoints?: number;
  /** Bytes of points in one request at most, unless one point has more; Qdrant takes 32 MiB. @default 4 MiB */
  readonly maxBatchBytes?: number;
  /** Whether a collection of that name is deleted first. @default false */
  readonly recreate?: boolean;
  /** Whether everything is read and checked and nothing sent. @default false */
  readonly dryRun?: boolean;
  /** Longest wait for one answer. @default 60_000 */
  readonly timeoutMs?: number;
  /** Attempts of a request after the first one. @default 8 */
  readonly retries?: number;
  /** Shortest wait before a second attempt; it doubles from attempt to attempt up to 30 s, with jitter. @default 500 */
  readonly minBackoffMs?: number;
  /** Ends the upload; a later one goes on where it stopped. @default never */
  readonly signal?: AbortSignal;
  /** Told how many points are checked, then how many the server has confirmed. @default nobody */
  readonly onProgress?: (progress: UploadProgress) => void;
  /** Told of each attempt that failed and will be made again. @default nobody */
  readonly onRetry?: (retry: UploadRetry) => void;
}

/** How far an upload has come. */
export interface UploadProgress {
  readonly phase: "check" | "send";
  readonly done: number;
  readonly total: number;
}

/** What an upload did, or would have done. */
export interface UploadReport {
  readonly url: string;
  readonly collection: string;
  readonly dryRun: boolean;
  /** The collection's vectors as they were asked for. */
  readonly schema: CollectionSchema;
  /** Whether the collection was made; false for a dry run. */
  readonly created: boolean;
  /** The run's points: as many as chunks. */
  readonly points: number;
  /** Size of the points in the run's file. */
  readonly bytes: number;
  /** Requests that took points; in a dry run those that an upload from the beginning needs. */
  readonly batches: number;
  /** Points that an earlier upload had brought already. */
  readonly resumedAt: number;
  readonly retries: number;
  /** Points in the collection at the end; undefined for a dry run. */
  readonly storedPoints: number | undefined;
  readonly seconds: number;
  /** Sentences. */
  readonly warnings: readonly string[];
}

const samples = 32;

/**
 * Brings a run's points into a Qdrant collection, made for them when there is none. Ids come from the content, so that a
 * second upload replaces points instead of adding any; an upload that was interrupted goes on where it stopped.
 * @throws UploadError with a sentence; ArtifactError when the run's files cannot be read; the signal's reason.
 */
export async function uploadRun(run: Run, options: UploadOptions): Promise<UploadReport> {
  const startedAt = performance.now();
  const { collection = run.collection, dryRun = false, recreate = false } = options;
  const { maxBatchPoints: maxPoints = 256, maxBatchBytes: maxBytes = 4 * 2 ** 20 } = options;
  const { signal = new AbortController().signal, onProgress = () => undefined } = options;
  assertSafeName(collection, "name of the collection");
  const address = parseQdrantUrl(options.url);
  const apiKey = checkedKey(options.apiKey);
  const schema = collectionSchema(run);
  onProgress({ phase: "check", done: 0, total: run.chunkCount });
  const file = await checkPointFile(run, schema, (done) => {
    signal.throwIfAborted();
    onProgress({ phase: "check", done, total: run.chunkCount });
  });
  const limits = { maxPoints, maxBytes };
  const warnings =
    apiKey !== undefined && !address.isPrivate
      ? [`The API key goes to ${address.url} without encryption. Use https where the server has it.`]
      : [];
  const report = { warnings, url: address.url, collection, dryRun, schema, points: file.points, bytes: file.bytes };
  const seconds = () => (performance.now() - startedAt) / 1000;
  if (dryRun) {
    let batches = 0;
    for await (const _ of readBatches(file, 0, limits)) batches++;
    return {
      ...report,
      created: false,
      batches,
      resumedAt: 0,
      retries: 0,
      storedPoints: undefined,
      seconds: seconds(),
    };
  }
  let retries = 0;
  const connection = new QdrantConnection({
    address,
    apiKey,
    timeoutMs: options.timeoutMs ?? 60_000,
    retries: options.retries ?? 8,
    minBackoffMs: options.minBackoffMs ?? 500,
    signal,
    onRetry: (retry) => {
      retries++;
      options.onRetry?.(retry);
    },
  });
  const state = new UploadState(run.dir, { url: address.url, collection, sha256: file.sha256 });
  let batches = 0;
  const send = async (fromPoint: number): Promise<number> => {
    onProgress({ phase: "send", done: fromPoint, total: file.points });
    for await (const { firstPoint, points } of readBatches(file, fromPoint, limits)) {
      await connection.upsert(collection, points);
      batches++;
      const confirmed = firstPoint + points.length;
      await state.write(confirmed);
      onProgress({ phase: "send", done: confirmed, total: file.points });
    }
    return connection.count(collection);
  };
  try {
    const created = await prepareCollection(connection, { url: address.url, collection, schema, recreate, state });
    const resumedAt = created ? 0 : await confirmedPoints(connection, collection, file, state);
    let storedPoints = await send(resumedAt);
    // The server has lost what it had confirmed to an earlier upload: bring all of it again.
    if (storedPoints < file.points && resumedAt > 0) storedPoints = await send(0);
    await state.clear();
    if (storedPoints !== file.points) throw countError(address.url, collection, file.points, storedPoints);
    return { ...report, created, batches, resumedAt, retries, storedPoints, seconds: seconds() };
  } finally {
    connection.close();
  }
}

function checkedKey(apiKey: string | undefined): string | undefined {
  if (apiKey === undefined || apiKey === "") return undefined;
  // Checked here, for an error of the HTTP client would repeat the key.
  if (/^[\x21-\x7e]+$/.test(apiKey)) return apiKey;
  throw new UploadError(
    "INVALID_ARGUMENT",
    "The API key in QDRANT_API_KEY has a character that no key has, such as a space or a line break. Set it anew.",
  );
}

interface Preparation {
  readonly url: string;
  readonly collection: string;
  readonly schema: CollectionSchema;
  readonly recreate: boolean;
  readonly state: UploadState;
}

/** Sees to it that the collection is there and fits. @returns whether it is new. */
async function prepareCollection(connection: QdrantConnection, preparation: Preparation): Promise<boolean> {
  const { url, collection, schema, recreate, state } = preparation;
  let found = await connection.findCollection(collection);
  if (found !== undefined && recreate) {
    await state.clear();
    await connection.deleteCollection(collection);
    found = undefined;
  }
  if (found === undefined) {
    await state.clear();
    if (await connection.createCollection(collection, schema)) return true;
    found = await connection.findCollection(collection);
  }
  const differences = schemaDifferences(schema, found ?? {});
  if (differences.length === 0) return false;
  throw new UploadError(
    "COLLECTION_DIFFERS",
    `The collection ${collection} at ${url} has other vectors than the run: ${differences.join("; ")}. Give another --collection, or --recreate, which deletes it with all of its points and makes it anew.`,
  );
}

/**
 * Points from the file's beginning that need not be sent again: those noted as confirmed, if the server still has them.
 * A sample is compared, since another run may have replaced them meanwhile: ids depend on the texts alone.
 */
async function confirmedPoints(
  connection: QdrantConnection,
  collection: string,
  file: PointFile,
  state: UploadState,
): Promise<number> {
  const confirmed = Math.min(await state.read(), file.points);
  if (confirmed === 0) return 0;
  const sample = await samplePoints(file, confirmed, samples);
  const stored = await connection.retrieve(
    collection,
    sample.map(({ id }) => id),
  );
  return sample.every((point) => stored.some((other) => isSamePoint(other, point))) ? confirmed : 0;
}

function countError(url: string, collection: string, points: number, stored: number): UploadError {
  const place = `The collection ${collection} at ${url}`;
  return new UploadError(
    "COUNT_DIFFERS",
    stored > points
      ? `${place} has all ${points} points of the run and ${stored - points} that are not of it, perhaps of an earlier one. Give --recreate to be rid of them, or another --collection to keep them apart.`
      : `${place} has ${stored} points, but the run has ${points}: the server lost some, or something deletes them. Look at its log and upload again.`,
  );
}
