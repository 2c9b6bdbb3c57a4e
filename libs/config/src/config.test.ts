import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, expectTypeOf, onTestFinished, test } from "vitest";
import { ConfigError } from "./config-error.js";
import { defineSettings, type SettingDefinition, type SettingDefinitions, settingFlags } from "./definitions.js";
import { parseFlags } from "./parse-flags.js";
import { resolveSettings, type SettingSources } from "./resolve-settings.js";

const definitions = defineSettings({
  enable_rerank: { type: "boolean", default: true, env: "EMBEDDER_ENABLE_RERANK", description: "Rerank." },
  exclusiveEnsemble: { type: "boolean", default: true, description: "One model at a time." },
  sparse_models: { type: "list", default: ["splade-tiny"], env: "EMBEDDER_SPARSE_MODELS", description: "Models." },
  top_k: { type: "integer", default: 20, minimum: 1, maximum: 1000, env: "TOP_K", description: "Results." },
  rerank_mix: { type: "number", default: 0.5, minimum: 0, maximum: 1, env: "MIX", description: "Weight." },
  precision: {
    type: "enum",
    values: ["auto", "fp32", "int8"],
    default: "auto",
    env: "PRECISION",
    description: "Of graphs.",
  },
  summary_path: { type: "string", default: null, env: "SUMMARY", description: "Where to write." },
});

function folder(files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), "ragline-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const resolve = (sources: SettingSources<typeof definitions> = {}) => resolveSettings(definitions, sources);

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

test("without anything, every value is its default", () => {
  const { values, provenance } = resolve();
  expect(values).toEqual({
    enable_rerank: true,
    exclusiveEnsemble: true,
    sparse_models: ["splade-tiny"],
    top_k: 20,
    rerank_mix: 0.5,
    precision: "auto",
    summary_path: null,
  });
  expect(provenance).toHaveLength(7);
  expect(provenance[1]).toEqual({ key: "exclusive_ensemble", value: true, layer: "default", source: "default" });
  expect(provenance.every(({ layer, source }) => layer === "default" && source === "default")).toBe(true);
});

test("types of values are inferred", () => {
  const { values } = resolve();
  expectTypeOf(values.enable_rerank).toEqualTypeOf<boolean>();
  expectTypeOf(values.sparse_models).toEqualTypeOf<readonly string[]>();
  expectTypeOf(values.precision).toEqualTypeOf<"auto" | "fp32" | "int8">();
  expectTypeOf(values.summary_path).toEqualTypeOf<string | null>();
});

test("each layer is over those before it, for every choice of layers", () => {
  const layers = ["config", "dotenv", "env", "cli"] as const;
  for (let choice = 0; choice < 16; choice += 1) {
    const chosen = layers.filter((_, bit) => choice & (1 << bit));
    const at = folder({
      "embedder.json": chosen.includes("config") ? '{"top_k": 1}' : "{}",
      ".env": chosen.includes("dotenv") ? "TOP_K=2\n" : "",
    });
    const { values, provenance } = resolve({
      configPath: join(at, "embedder.json"),
      dotenvPath: join(at, ".env"),
      env: chosen.includes("env") ? { TOP_K: "3" } : {},
      flags: chosen.includes("cli") ? { top_k: { value: "4", source: "--top-k" } } : {},
    });
    const layer = chosen.at(-1) ?? "default";
    const source = {
      default: "default",
      config: `${at}/embedder.json:top_k`,
      dotenv: `${at}/.env:TOP_K`,
      env: "TOP_K",
      cli: "--top-k",
    }[layer];
    expect(values.top_k).toBe({ default: 20, config: 1, dotenv: 2, env: 3, cli: 4 }[layer]);
    expect(provenance.find(({ key }) => key === "top_k")).toEqual({ key: "top_k", value: values.top_k, layer, source });
  }
});

test("files that do not exist and empty variables say nothing", () => {
  const sources = {
    configPath: "/nowhere/embedder.json",
    dotenvPath: "/nowhere/.env",
    env: { EMBEDDER_ENABLE_RERANK: "" },
  };
  expect(resolve(sources)).toEqual(resolve());
});

test.each([
  ["EMBEDDER_ENABLE_RERANK", "enable_rerank", ["1", "true", "YES", "On", " on "], true],
  ["EMBEDDER_ENABLE_RERANK", "enable_rerank", ["0", "False", "no", "OFF"], false],
  ["EMBEDDER_SPARSE_MODELS", "sparse_models", ["a b", "a,b", " a , b ", "a\tb,"], ["a", "b"]],
  ["TOP_K", "top_k", ["7", " 7 ", "7.0", "7e0"], 7],
  ["MIX", "rerank_mix", ["0.25", ".25"], 0.25],
  ["PRECISION", "precision", ["int8"], "int8"],
  ["SUMMARY", "summary_path", ["out.json"], "out.json"],
] as const)("%s is read into %s from any of %j", (variable, key, texts, expected) => {
  for (const text of texts) expect(resolve({ env: { [variable]: text } }).values[key]).toEqual(expected);
});

test.each([
  [
    "EMBEDDER_ENABLE_RERANK",
    "maybe",
    'EMBEDDER_ENABLE_RERANK is "maybe"; expected 1, true, yes, on, or 0, false, no, off',
  ],
  ["TOP_K", "seven", 'TOP_K is "seven"; expected a whole number from 1 to 1000'],
  ["TOP_K", "1.5", 'TOP_K is "1.5"; expected a whole number from 1 to 1000'],
  ["TOP_K", "0", 'TOP_K is "0"; expected a whole number from 1 to 1000'],
  ["TOP_K", " ", 'TOP_K is " "; expected a whole number from 1 to 1000'],
  ["MIX", "NaN", 'MIX is "NaN"; expected a number from 0 to 1'],
  ["PRECISION", "int4", 'PRECISION is "int4"; expected one of auto, fp32, int8; did you mean int8?'],
])("%s=%s is refused by name", (variable, text, expected) => {
  expect(message(() => resolve({ env: { [variable]: text } }))).toBe(expected);
});

test("a wrong value is refused also where a higher layer wins", () => {
  const flags = { enable_rerank: { value: false, source: "--disable-rerank" } };
  expect(message(() => resolve({ env: { EMBEDDER_ENABLE_RERANK: "2" }, flags }))).toContain("EMBEDDER_ENABLE_RERANK");
});

test.each([
  ['{"enable_rerank": "off", "sparse_models": ["a", "b"], "summary_path": null, "rerank_mix": 1}', undefined],
  ['{"enable_rernk": true}', /embedder\.json has an unknown key "enable_rernk"; did you mean enable_rerank\?$/],
  ['{"colour": 1}', /embedder\.json has an unknown key "colour"$/],
  ['{"top_k": "many"}', /embedder\.json:top_k is "many"; expected a whole number from 1 to 1000$/],
  ['{"top_k": null}', /embedder\.json:top_k is null; expected a whole number/],
  ['{"sparse_models": [1]}', /embedder\.json:sparse_models is \[1\]; expected names/],
  ['{\n  "top_k": 5\n  "precision": "int8"\n}', /embedder\.json:3:3 is not valid JSON: comma expected$/],
  ['{"top_k": 5', /embedder\.json:1:12 is not valid JSON: close brace expected$/],
  ["[1]", /embedder\.json must hold one JSON object/],
  ["", /embedder\.json:1:1 is not valid JSON/],
])("a config file of %s", (text, expected) => {
  const configPath = join(folder({ "embedder.json": text }), "embedder.json");
  if (expected) expect(message(() => resolve({ configPath }))).toMatch(expected);
  else
    expect(resolve({ configPath }).values).toMatchObject({
      enable_rerank: false,
      sparse_models: ["a", "b"],
      rerank_mix: 1,
    });
});

test("a config file that cannot be read is named", () => {
  const path = folder({});
  expect(message(() => resolve({ configPath: path }))).toContain(`cannot read ${path}: `);
});

test.each([
  ["enable_x", {}, "--enable-x", "--disable-x"],
  ["exclusiveEnsemble", {}, "--exclusive-ensemble", "--no-exclusive-ensemble"],
  ["stage_report", { offFlag: "--disable-stage-report" }, "--stage-report", "--disable-stage-report"],
  ["x", { flag: "--y" }, "--y", "--no-y"],
])("the flags of %s %j are %s and %s", (key, more, on, off) => {
  expect(settingFlags(key, { type: "boolean", default: true, description: "", ...more })).toEqual({ on, off });
});

test("flags are read, as pairs, with = or with a space", () => {
  const args = [
    "--disable-rerank",
    "--no-exclusive-ensemble",
    "--top-k",
    "5",
    "--precision=fp32",
    "--sparse-models",
    "a,b",
  ];
  const { values, provenance } = resolve({ flags: parseFlags(definitions, args) });
  expect(values).toMatchObject({
    enable_rerank: false,
    exclusiveEnsemble: false,
    top_k: 5,
    precision: "fp32",
    sparse_models: ["a", "b"],
  });
  expect(provenance[0]).toEqual({ key: "enable_rerank", value: false, layer: "cli", source: "--disable-rerank" });
});

test("a list flag may be given more than once", () => {
  const flags = parseFlags(definitions, ["--sparse-models", "a", "--sparse-models=b c"]);
  expect(resolve({ flags }).values.sparse_models).toEqual(["a", "b", "c"]);
});

test.each([
  [
    ["--enable-rerank", "--disable-rerank"],
    "--enable-rerank and --disable-rerank contradict each other; give one of them",
  ],
  [["--top-k", "1", "--top-k", "2"], "--top-k was given twice with different values; give it once"],
  [["--enable-rernk"], "unknown flag --enable-rernk; did you mean --enable-rerank?"],
  [["--quite-unknown"], "unknown flag --quite-unknown"],
  [["--top-k"], "--top-k needs a value"],
  [["--enable-rerank=yes"], "--enable-rerank takes no value"],
  [["word"], 'unexpected argument "word"'],
])("%j is refused", (args, expected) => {
  expect(message(() => resolve({ flags: parseFlags(definitions, args) }))).toBe(expected);
});

test("a text is a value of the declared type, or a ConfigError that names its place", () => {
  const kinds: SettingDefinition[] = Object.values(definitions);
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)),
      (definition, text) => {
        fc.pre(text !== "");
        const one: SettingDefinitions = { it: { ...definition, env: "PLACE" } };
        try {
          const { it } = resolveSettings(one, { env: { PLACE: text } }).values;
          const type = {
            boolean: "boolean",
            integer: "number",
            number: "number",
            string: "string",
            enum: "string",
            list: "object",
          };
          expect(typeof it).toBe(type[definition.type]);
          if (typeof it === "number") expect(Number.isFinite(it)).toBe(true);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.message).toMatch(/^PLACE is ".*"; expected /s);
        }
      },
    ),
    { seed: 7 },
  );
});
