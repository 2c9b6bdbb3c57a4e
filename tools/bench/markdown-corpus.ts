import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ChunkRecord } from "@ragline/artifacts";
import { randomNumbers } from "./random-numbers.js";
import { shortChunks } from "./short-chunks.js";

const fileBytes = 500_000;
const sentencesPerSection = 12;

/** A section of Markdown: a heading, two paragraphs, and now and then a table, a list or code. */
function section(sentences: readonly string[], heading: string, random: () => number): string {
  const half = sentences.length / 2;
  const parts = [`## ${heading}`, sentences.slice(0, half).join(" "), sentences.slice(half).join(" ")];
  const kind = random();
  if (kind < 0.2)
    parts.push(
      ["| word | meaning |", "| --- | --- |", ...sentences.map((words) => `| ${heading} | ${words} |`)].join("\n"),
    );
  else if (kind < 0.4) parts.push(sentences.map((words) => `- ${words}`).join("\n"));
  else if (kind < 0.5) parts.push(["```", ...sentences, "```"].join("\n"));
  return parts.join("\n\n");
}

/**
 * Writes Markdown files of half a megabyte each that have about this many bytes together; the same seed gives the same.
 * @returns their bytes.
 */
export async function writeMarkdown(folder: string, bytes: number, seed: number): Promise<number> {
  await mkdir(folder, { recursive: true });
  const random = randomNumbers(seed);
  const source = shortChunks(Number.MAX_SAFE_INTEGER, seed);
  let written = 0;
  for (let file = 0; written < bytes; file++) {
    const parts = [`# Document ${file}`];
    for (let length = 0; length < fileBytes; ) {
      const sentences: string[] = [];
      let heading = "";
      // One by one: a loop over the source would end it.
      while (sentences.length < sentencesPerSection) {
        const { text, metadata } = source.next().value as ChunkRecord;
        heading = String(metadata["heading_text"]);
        sentences.push(text);
      }
      const part = section(sentences, heading, random);
      parts.push(part);
      length += part.length;
    }
    const text = `${parts.join("\n\n")}\n`;
    await writeFile(join(folder, `document-${file}.md`), text);
    written += Buffer.byteLength(text);
  }
  return written;
}
