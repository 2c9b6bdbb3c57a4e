import { readFileSync } from "node:fs";
import { envExample, settingFlags, settingsSchema } from "@ragline/config";
import { Command } from "commander";
import { expect, test } from "vitest";
import { runSettings } from "../run-settings.js";
import { configSchemaText, envExampleText } from "./config-action.js";
import { addSettings, readFlags } from "./setting-options.js";

const fromRoot = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");

test("the committed schema and example are those that the definitions give", () => {
  expect(fromRoot("docs/schemas/embedder.schema.json")).toBe(configSchemaText());
  expect(fromRoot(".env.example")).toBe(envExampleText());
});

test("the schema has every setting and the example every variable", () => {
  const { properties } = settingsSchema(runSettings, {}) as { properties: Record<string, { description: string }> };
  expect(Object.keys(properties)).toHaveLength(Object.keys(runSettings).length);
  for (const [key, definition] of Object.entries(runSettings)) {
    const property = properties[key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
    expect(property?.description).toContain(settingFlags(key, definition).on);
    if ("env" in definition) expect(envExample(runSettings)).toContain(`# ${definition.env}=`);
  }
});

// Flags and variables that scripts of the pipeline before this one use.
test.each([
  "--collections",
  "--chunked-dir",
  "--output-dir",
  "--ensemble-models",
  "--exclusive-ensemble",
  "--no-exclusive-ensemble",
  "--enable-rerank",
  "--disable-rerank",
  "--enable-sparse",
  "--disable-sparse",
  "--sparse-models",
  "--rerank-model",
  "--rerank-candidates",
  "--rerank-top-k",
  "--force-cpu",
  "--local-files-only",
  "--hf-cache-dir",
  "--refresh-cache",
  "--export-prefix",
  "--summary-path",
  "--disable-stage-report",
])("%s is a flag of a run", (flag) => {
  const flags = Object.entries(runSettings).flatMap(([key, definition]) =>
    Object.values(settingFlags(key, definition)),
  );
  expect(flags).toContain(flag);
});

function flagsOf(args: readonly string[]): ReturnType<typeof readFlags<typeof runSettings>> {
  const command = addSettings(new Command().exitOverride(), runSettings);
  command.parse(args, { from: "user" });
  return readFlags(command, runSettings);
}

test.each([
  [["--collections", "a", "b"], "collections", [{ value: ["a", "b"], source: "--collections" }]],
  [["--input", "my documents, old"], "input", [{ value: ["my documents, old"], source: "--input" }]],
  [["--enable-rerank"], "enableRerank", [{ value: true, source: "--enable-rerank" }]],
  [["--disable-rerank"], "enableRerank", [{ value: false, source: "--disable-rerank" }]],
  [["--no-exclusive-ensemble"], "exclusiveEnsemble", [{ value: false, source: "--no-exclusive-ensemble" }]],
  [["--exclusive-ensemble"], "exclusiveEnsemble", [{ value: true, source: "--exclusive-ensemble" }]],
  [["--rerank-top-k", "5"], "rerankTopK", [{ value: "5", source: "--rerank-top-k" }]],
  [[], "exclusiveEnsemble", undefined],
] as const)("%j is read as %s", (args, key, expected) => {
  expect(flagsOf(args)[key]).toEqual(expected);
});

test("flags that switch a setting on and off are both told, so that the contradiction is found", () => {
  expect(flagsOf(["--exclusive-ensemble", "--no-exclusive-ensemble"]).exclusiveEnsemble).toHaveLength(2);
  expect(flagsOf(["--enable-sparse", "--disable-sparse"]).enableSparse).toHaveLength(2);
});
