import { expect, test } from "vitest";
import { countTokens, read } from "./documents.fixture.js";
import { chunkDocument } from "./index.js";
import { semanticTurns, semanticUnits } from "./semantic-turns.js";

const sea = ["The sea is deep.", "Waves rise and fall.", "Fish swim in the sea.", "Salt is in the water."];
const bread = ["Bread needs flour.", "Yeast lets it rise.", "An oven bakes it.", "The crust is brown."];

/** The two topics are two directions, with a little of each sentence's own. */
function embed(texts: readonly string[]): Float32Array {
  return Float32Array.from(
    texts.flatMap((text, i) => {
      const isSea = sea.some((sentence) => text.trim() === sentence);
      return [isSea ? 1 : 0.1, isSea ? 0.1 : 1, (i % 3) * 0.05];
    }),
  );
}

test("a chunk begins where the topic turns, inside a paragraph too", async () => {
  const document = await read(`# Two things\n\n${sea.join(" ")} ${bread.join(" ")}\n`);
  if (document === undefined) throw new Error("there is text");
  const units = semanticUnits(document);
  expect(units.map(({ text }) => text.trim())).toEqual([...sea, ...bread]);
  const turns = semanticTurns(units, embed(units.map(({ text }) => text)), 3);
  expect(turns).toEqual([document.text.indexOf("Bread")]);
  const { chunks } = chunkDocument(document, { maxTokens: 200, countTokens, strategy: "semantic", turns });
  expect(chunks.map(({ text }) => text)).toEqual([
    `# Two things\n\n${sea.join(" ")}`,
    `Two things\n\n${bread.join(" ")}`,
  ]);
});

test("few units have no turns", () => {
  const units = [0, 1, 2].map((start) => ({ start, text: "x" }));
  expect(semanticTurns(units, new Float32Array([1, 0, 1]), 1)).toEqual([]);
});
