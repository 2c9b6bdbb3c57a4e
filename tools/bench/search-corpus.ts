import { join } from "node:path";
import { documentText, openDataset } from "@ragline/evaluation";
import { randomNumbers } from "./random-numbers.js";

/** Columns of the vectors: those of the embedded models. */
export const columns = 384;

const sentencesPerText = 4;

/** Unit vectors that follow from the seed. */
export function unitVectors(count: number, seed: number): Float32Array {
  const random = randomNumbers(seed);
  const values = new Float32Array(count * columns);
  for (let row = 0; row < count; row++) {
    const vector = Float64Array.from({ length: columns }, () => random() - 0.5);
    const norm = Math.hypot(...vector);
    for (let i = 0; i < columns; i++) values[row * columns + i] = (vector[i] as number) / norm;
  }
  return values;
}

/** Texts with the words of scientific abstracts, each of four sentences of SciFact, and its test claims as queries. */
export async function searchTexts(dataDir: string, count: number): Promise<{ texts: string[]; queries: string[] }> {
  const dataset = await openDataset(join(dataDir, "scifact"));
  const sentences: string[] = [];
  for await (const document of dataset.documents())
    sentences.push(...documentText(document).split(/(?<=[.!?])\s+(?=\p{Lu})/u));
  const random = randomNumbers(3);
  const any = () => sentences[Math.floor(random() * sentences.length)];
  return {
    texts: Array.from({ length: count }, () => Array.from({ length: sentencesPerText }, any).join(" ")),
    queries: dataset.queries.map(({ text }) => text),
  };
}
