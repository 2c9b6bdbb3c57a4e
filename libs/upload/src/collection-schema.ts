import type { Run } from "@ragline/artifacts";
import { findModel, UnknownModelError } from "@ragline/models";
import { z } from "zod";

/** The vectors of a Qdrant collection, as its REST API takes them. */
export interface CollectionSchema {
  /** Dense spaces by name. */
  readonly vectors: Readonly<Record<string, { readonly size: number; readonly distance: "Cosine" }>>;
  /** Sparse spaces by name. */
  readonly sparse_vectors: Readonly<Record<string, { readonly modifier?: "idf" }>>;
}

function isBm25(name: string): boolean {
  try {
    return findModel(name, "sparse").loader === "bm25";
  } catch (error) {
    // Not a model of the registry: vectors made from metadata, whose weights are final.
    if (error instanceof UnknownModelError) return false;
    throw error;
  }
}

/**
 * The collection that a run needs: one dense space per model, compared by cosine, and one sparse space per sparse model.
 * The vectors have unit length, so cosine and dot product rank alike; cosine also holds for queries of other lengths, and
 * Qdrant normalises once, when a point is stored. BM25 spaces get `modifier: "idf"`: their documents carry the term
 * frequency part alone, and the server multiplies by the inverse document frequency of its own points.
 */
export function collectionSchema({ dense, sparse }: Pick<Run, "dense" | "sparse">): CollectionSchema {
  return {
    vectors: Object.fromEntries(dense.map(({ name, dimension }) => [name, { size: dimension, distance: "Cosine" }])),
    sparse_vectors: Object.fromEntries(sparse.map((name) => [name, isBm25(name) ? { modifier: "idf" } : {}])),
  };
}

const denseParams = z.looseObject({
  size: z.number(),
  distance: z.string(),
  multivector_config: z.unknown().optional(),
});

/** `result.config.params` of Qdrant's answer about a collection, as far as it is compared. */
export const collectionParams = z.looseObject({
  vectors: z.union([denseParams, z.record(z.string(), denseParams)]).nullish(),
  sparse_vectors: z.record(z.string(), z.looseObject({ modifier: z.string().nullish() })).nullish(),
});

/** What of an existing collection is other than a run needs, in words; empty when it fits. */
export function schemaDifferences(wanted: CollectionSchema, found: z.infer<typeof collectionParams>): string[] {
  const parsed = denseParams.safeParse(found.vectors);
  if (parsed.success) return ["it has one dense vector without a name"];
  const vectors = (found.vectors ?? {}) as Record<string, z.infer<typeof denseParams>>;
  const sparse = found.sparse_vectors ?? {};
  return [
    ...nameDifferences("dense", Object.keys(wanted.vectors), Object.keys(vectors)),
    ...nameDifferences("sparse", Object.keys(wanted.sparse_vectors), Object.keys(sparse)),
    ...Object.entries(wanted.vectors).flatMap(([name, { size, distance }]) => {
      const other = vectors[name];
      if (other === undefined) return [];
      return [
        ...(other.size === size ? [] : [`${name} has size ${other.size} there and ${size} in the run`]),
        ...(other.distance === distance ? [] : [`${name} has distance ${other.distance} there instead of ${distance}`]),
        ...(other.multivector_config ? [`${name} takes several vectors per point there`] : []),
      ];
    }),
    ...Object.entries(wanted.sparse_vectors).flatMap(([name, { modifier = "none" }]) => {
      const other = sparse[name];
      const there = other?.modifier ?? "none";
      return other === undefined || there === modifier
        ? []
        : [`${name} has modifier ${there} there instead of ${modifier}`];
    }),
  ];
}

function nameDifferences(kind: string, wanted: readonly string[], found: readonly string[]): string[] {
  const missing = wanted.filter((name) => !found.includes(name));
  const further = found.filter((name) => !wanted.includes(name));
  return [
    ...missing.map((name) => `it has no ${kind} vector ${name}`),
    ...further.map((name) => `it has a ${kind} vector ${name} that the run has not`),
  ];
}
