import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directoryOf } from "./run-fixture.js";

const run = promisify(execFile);
const ragline = fileURLToPath(new URL("../bin/ragline.mjs", import.meta.url));
let directory: Awaited<ReturnType<typeof directoryOf>>;

const bread = [
  "Bread dough rises because yeast turns sugar into gas.",
  "A baker kneads the dough until it stretches without tearing.",
  "Warm dough ferments faster than cold dough does.",
  "The loaf is scored with a blade before it enters the oven.",
  "Steam in the oven keeps the crust of the bread soft at first.",
  "A baked loaf sounds hollow when its bottom is tapped.",
];
const orbits = [
  "A satellite in a low orbit circles the Earth in ninety minutes.",
  "Its speed falls as the altitude of the orbit grows.",
  "Thrusters fire against the direction of flight to leave orbit.",
  "The atmosphere slows the spacecraft and heats its shield.",
  "A geostationary satellite stays above one point of the equator.",
  "Rockets launch eastward to use the rotation of the Earth.",
];

beforeAll(async () => {
  directory = await directoryOf({ "input/topics.txt": `${[...bread, ...orbits].join(" ")}\n` });
});
afterAll(() => directory.remove());

async function chunk(strategy: string, output: string): Promise<{ text: string; metadata: Record<string, unknown> }[]> {
  const args = ["chunk", "--input", "input", "--output-dir", output, "--chunk-strategy", strategy];
  await run(process.execPath, [ragline, ...args, "--ensemble-models", "all-miniLM-l6", "--workers", "1"], {
    cwd: directory.path,
    env: { ...process.env, CI: "true" },
  });
  return JSON.parse(await readFile(join(directory.path, output, "input", "topics_chunks.json"), "utf8")) as [];
}

test("--chunk-strategy semantic starts a chunk where the topic turns, by the model's own vectors", async () => {
  const texts = (records: readonly { text: string }[]) => records.map(({ text }) => text);
  expect(texts(await chunk("structure", "structure"))).toEqual([[...bread, ...orbits].join(" ")]);
  const records = await chunk("semantic", "semantic");
  expect(texts(records)).toEqual([bread.join(" "), orbits.join(" ")]);
  expect(records[0]?.metadata).toMatchObject({ chunking_strategy: "semantic", start_char: 0 });
});
