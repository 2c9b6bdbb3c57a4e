import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactNames, MANIFEST_NAME, npyHeader, openRun, pointId, type Run } from "@ragline/artifacts";
import type { Point } from "./point-problem.js";

const dimension = 4;
const unlisted = "0".repeat(64);
const names = artifactNames("notes");

/** Points of a small run: a dense space `small`, a learned sparse one and BM25; every third has no learned vector. */
export function somePoints(count: number, seed = 1): Point[] {
  return Array.from({ length: count }, (_, i) => {
    const angles = Array.from({ length: dimension }, (_, d) => Math.sin((i + 1) * (d + 2) * seed));
    const length = Math.hypot(...angles);
    return {
      id: pointId("notes", `text ${i}`),
      vector: {
        small: angles.map((value) => Math.fround(value / length)),
        ...(i % 3 === 2 ? {} : { "splade-tiny": { indices: [i, i + 7], values: [0.5, Math.fround(1 / (i + 1))] } }),
        "qdrant-bm25": { indices: [4294967295 - i], values: [1.5] },
      },
      payload: { text: `text ${i}`, chunk_index: i, section_path: ["größer", "\u2028"], score: i / 7, parent: null },
    };
  });
}

/** The lines of a points' file. */
export const toLines = (points: readonly unknown[]): string =>
  points.map((point) => `${JSON.stringify(point)}\n`).join("");

/** A finished run on disk, with only the files that an upload looks at. */
export interface RunFixture {
  readonly dir: string;
  open(): Promise<Run>;
  /** Writes other lines in place of the points; the manifest lists their hash unless told otherwise. */
  replace(lines: string, options?: { readonly listed?: boolean; readonly chunks?: number }): Promise<void>;
  remove(): Promise<void>;
}

/** Writes a run of these points. */
export async function runOf(points: readonly Point[]): Promise<RunFixture> {
  const dir = await mkdtemp(join(tmpdir(), "ragline-upload-test-"));
  const replace: RunFixture["replace"] = async (lines, { listed = true, chunks = points.length } = {}) => {
    const sha256 = createHash("sha256").update(lines).digest("hex");
    const stats = {
      collection: "notes",
      chunk_count: chunks,
      text_characters: { total: 1, min: 1, max: 1, mean: 1 },
      dense: [
        {
          name: "small",
          hugging_face_id: "a/small",
          dimension,
          embeddings: names.embeddings,
          norm: { min: 1, max: 1, mean: 1 },
        },
      ],
    };
    const empty = { indices: [], values: [] };
    const sparse = {
      id: points[0]?.id,
      sparse_vector: empty,
      tokens: [],
      stats: { weight_norm: 0, unique_terms: 0 },
      sparse_vectors: { "splade-tiny": empty, "qdrant-bm25": empty },
    };
    const manifest = {
      schema_version: "v4.1",
      collection: "notes",
      chunk_count: chunks,
      outputs: [
        { name: names.stats, bytes: 1, sha256: unlisted },
        { name: names.sparse, bytes: 1, sha256: unlisted },
        { name: names.qdrant, bytes: Buffer.byteLength(lines), sha256: listed ? sha256 : unlisted },
      ],
    };
    await writeFile(join(dir, names.qdrant), lines);
    await writeFile(join(dir, names.sparse), `${JSON.stringify(sparse)}\n`.repeat(chunks));
    await writeFile(join(dir, names.stats), JSON.stringify(stats));
    const header = npyHeader(chunks, dimension);
    await writeFile(join(dir, names.embeddings), Buffer.concat([header, Buffer.alloc(4 * chunks * dimension)]));
    await writeFile(join(dir, MANIFEST_NAME), JSON.stringify(manifest));
  };
  await replace(toLines(points));
  return { dir, open: () => openRun(dir), replace, remove: () => rm(dir, { recursive: true, force: true }) };
}
