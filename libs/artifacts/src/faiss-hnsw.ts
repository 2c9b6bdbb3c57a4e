import type { HnswGraph } from "@ragline/hnsw";
import { faissCount, faissFlatIpHeader, faissHeader } from "./faiss.js";

/** Candidates that a search keeps unless its caller says otherwise; with FAISS's own 16 it misses more. */
const efSearch = 64;

const elementsPerPiece = 2 ** 16;

/** A FAISS `vector<T>` in pieces: a count and its elements. */
function* vector(
  elements: ArrayLike<number>,
  width: 4 | 8,
  write: (bytes: Buffer, value: number, at: number) => void,
): Generator<Buffer> {
  yield faissCount(elements.length);
  for (let from = 0; from < elements.length; from += elementsPerPiece) {
    const count = Math.min(elementsPerPiece, elements.length - from);
    const bytes = Buffer.alloc(count * width);
    for (let i = 0; i < count; i++) write(bytes, elements[from + i] as number, i * width);
    yield bytes;
  }
}

const writeInt32 = (bytes: Buffer, value: number, at: number) => bytes.writeInt32LE(value, at);

/**
 * The bytes before the values of a FAISS index file of type IndexHNSWFlat ("IHNf", approximate search by inner product), in
 * pieces; rows of little-endian float32 follow. Layout of faiss/impl/index_write.cpp: header, vector<f64> assign_probas,
 * vector<i32> cum_nneighbor_per_level, vector<i32> levels, vector<u64> offsets, vector<i32> neighbors, i32 entry_point,
 * max_level, efConstruction, efSearch and one without a meaning (1), then the header of the IndexFlatIP with the values.
 */
export function* faissHnswHead(rows: number, columns: number, graph: HnswGraph): Generator<Buffer> {
  yield faissHeader("IHNf", rows, columns);
  yield* vector(graph.layerProbabilities, 8, (bytes, value, at) => bytes.writeDoubleLE(value, at));
  yield* vector(graph.slotsBelow, 4, writeInt32);
  yield* vector(graph.levels, 4, writeInt32);
  yield* vector(graph.offsets, 8, (bytes, value, at) => bytes.writeBigUInt64LE(BigInt(value), at));
  yield* vector(graph.neighbors, 4, writeInt32);
  const end = Buffer.alloc(20);
  for (const [i, value] of [graph.entryPoint, graph.maxLayer, graph.efConstruction, efSearch, 1].entries())
    end.writeInt32LE(value, 4 * i);
  yield end;
  yield faissFlatIpHeader(rows, columns);
}
