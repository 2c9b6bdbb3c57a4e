import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { directoryOf } from "./run-fixture.js";
import { expectWhole, readTraceFile } from "./trace-file.fixture.js";

const bin = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));

test("ragline chunk is one trace, with the call of the model that finds where topics turn", async () => {
  const sentences = ["Bees dance to tell where nectar is.", "Dough of flour and yeast is baked in an oven."];
  const directory = await directoryOf({ "long.md": `# Topics\n\n${sentences.join(" ").concat(" ").repeat(20)}\n` });
  onTestFinished(() => directory.remove());
  const file = join(directory.path, "chunk.trace.json");
  const flags = ["--input", "long.md", "--chunk-strategy", "semantic", "--ensemble-models", "all-miniLM-l6"];
  const child = spawn(process.execPath, [bin, "chunk", ...flags, "--workers", "1", "--trace-file", file], {
    cwd: directory.path,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close") as Promise<[number | null]>]);
  expect(code, stderr).toBe(0);
  const spans = await readTraceFile(file);
  expectWhole(spans, "rag.chunk");
  const [root] = spans;
  const [call] = spans.filter(({ name }) => name === "ragline.v1.DenseService/Embed");
  expect(call).toMatchObject({ parentSpanId: root?.spanId, service: "ragline-cli" });
  for (const service of ["ragline-dense", "ragline-dense-worker"])
    expect(spans.map((span) => span.service)).toContain(service);
  expect(await readFile(file, "utf8")).not.toMatch(/nectar|Dough/);
});
