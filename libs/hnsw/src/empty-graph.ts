import type { HnswGraph } from "./hnsw-graph.js";

/** Layers that fewer than one row in a billion would reach are left out. */
const leastProbability = 1e-9;

/** How likely it is that a row's highest layer is 0, 1, ...: (1 - 1/m) / m^l, which is FAISS's formula for levelMult = 1 / ln(m). */
export function layerProbabilities(m: number): Float64Array {
  const probabilities: number[] = [];
  for (let p = 1 - 1 / m; p >= leastProbability; p /= m) probabilities.push(p);
  return Float64Array.from(probabilities);
}

/** Mulberry32, by Tommy Ettinger (public domain): numbers from 0 to 1 that follow from the seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A graph whose rows have their layers and slots but no links yet. */
export function emptyGraph(rows: number, m: number, efConstruction: number, seed: number): HnswGraph {
  const probabilities = layerProbabilities(m);
  const slotsBelow = Int32Array.from({ length: probabilities.length + 1 }, (_, layer) =>
    layer === 0 ? 0 : (layer + 1) * m,
  );
  const random = randomNumbers(seed);
  const levels = new Int32Array(rows);
  const offsets = new Float64Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    let left = random();
    let layer = 0;
    while (layer < probabilities.length - 1 && left >= (probabilities[layer] as number))
      left -= probabilities[layer++] as number;
    levels[row] = layer + 1;
    offsets[row + 1] = (offsets[row] as number) + (slotsBelow[layer + 1] as number);
  }
  const neighbors = new Int32Array(offsets[rows] as number).fill(-1);
  return {
    m,
    efConstruction,
    layerProbabilities: probabilities,
    slotsBelow,
    levels,
    offsets,
    neighbors,
    entryPoint: -1,
    maxLayer: -1,
  };
}
