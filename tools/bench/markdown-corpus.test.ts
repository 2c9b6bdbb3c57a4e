import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeMarkdown } from "./markdown-corpus.js";

test("files are full of different sentences to their end", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ragline-corpus-"));
  try {
    expect(await writeMarkdown(folder, 600_000, 3)).toBeGreaterThan(600_000);
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), "utf8");
      const sentences = text.match(/[A-Z][a-z ]+\./g) ?? [];
      // Those of paragraphs, which may stand in a table, a list or code once more.
      expect(new Set(sentences).size).toBeGreaterThan(sentences.length / 2);
      expect(sentences.join("").length / text.length).toBeGreaterThan(0.9);
      expect(text.match(/^## \w+ \w+ \w+$/gm)?.length).toBe(text.match(/^## /gm)?.length);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
