import type { Run } from "@ragline/artifacts";
import { PCA } from "ml-pca";

/** Vectors on the plane of their two largest principal components. */
export interface Projection {
  /** One for each vector. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Share of the variance that each of the two axes holds. */
  readonly explained: readonly [number, number];
}

/** Vectors of some rows of a run's primary dense model, read as a stream; `rows` ascend. */
export async function sampleVectors(run: Run, rows: readonly number[]): Promise<number[][]> {
  const [primary] = run.dense;
  if (!primary) return [];
  const { dimension } = primary;
  const vectors: number[][] = [];
  for await (const { firstIndex, values } of run.readDense(primary.name)) {
    const end = firstIndex + values.length / dimension;
    for (let row = rows[vectors.length]; row !== undefined && row < end; row = rows[vectors.length]) {
      const at = (row - firstIndex) * dimension;
      vectors.push(Array.from(values.subarray(at, at + dimension)));
    }
    if (vectors.length === rows.length) break;
  }
  return vectors;
}

const finite = (value: number | undefined): number => (Number.isFinite(value) ? (value ?? 0) : 0);

/**
 * Principal component analysis by NIPALS, which finds only the components that are asked for. The same vectors give the
 * same points; those of vectors that do not differ are all the origin.
 */
export function project(vectors: readonly (readonly number[])[]): Projection {
  const differ = vectors.some((vector) => vector.some((value, i) => value !== vectors[0]?.[i]));
  if (!differ) return { points: vectors.map(() => ({ x: 0, y: 0 })), explained: [0, 0] };
  const data = vectors.map((vector) => [...vector]);
  const pca = new PCA(data, { method: "NIPALS", nCompNIPALS: 2, center: true, scale: false });
  const points = pca.predict(data, { nComponents: 2 }).to2DArray();
  let total = 0;
  for (let column = 0; column < (data[0]?.length ?? 0); column++) {
    const mean = data.reduce((sum, vector) => sum + (vector[column] ?? 0), 0) / data.length;
    total += data.reduce((sum, vector) => sum + ((vector[column] ?? 0) - mean) ** 2, 0);
  }
  const share = (axis: 0 | 1): number =>
    finite(points.reduce((sum, point) => sum + finite(point[axis]) ** 2, 0) / total);
  return {
    points: points.map(([x, y]) => ({ x: finite(x), y: finite(y) })),
    explained: [share(0), share(1)],
  };
}
