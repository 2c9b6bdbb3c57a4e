import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LoopbackHub } from "@ragline/loopback-hub";
import { embeddedModelsDir } from "@ragline/models";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { addModelsCommand } from "./models-command.js";

vi.setConfig({ testTimeout: 120_000 });

const program = fileURLToPath(new URL("../../bin/ragline.mjs", import.meta.url));
const commit = "0123456789abcdef0123456789abcdef01234567";
const id = "someone/MiniLM";

// Ends a process that opens a socket to anywhere but a file of this machine, and the processes that it starts.
const guard = `
import net from "node:net";
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const [first] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof first === "object" && first.path !== undefined) return connect.apply(this, args);
  process.stderr.write("A SOCKET WAS OPENED");
  process.exit(99);
};`;

let hub: LoopbackHub;
let folder: string;
let home: string;
let config: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ragline-cli-models-"));
  home = join(folder, "hf");
  config = join(folder, "config", "embedder.json");
  const read = (name: string) => readFileSync(join(embeddedModelsDir, "all-MiniLM-L6-v2", name));
  // The same graph under names that a hub may send: its weights are found by a name of the same length.
  const graph = Buffer.from(read("model.onnx").toString("latin1").replaceAll("weights.bin", "w.onnx_data"), "latin1");
  const files = {
    "model.onnx": graph,
    "w.onnx_data": read("weights.bin"),
    "tokenizer.json": read("tokenizer.json"),
    "config.json": JSON.stringify({ architectures: ["BertModel"], model_type: "bert", hidden_size: 384 }),
    "sentence_bert_config.json": '{"max_seq_length": 256}',
    "modules.json": JSON.stringify([
      { path: "", type: "sentence_transformers.models.Transformer" },
      { path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
    ]),
    "1_Pooling/config.json": '{"pooling_mode_mean_tokens": true}',
    "model.safetensors": "never fetched",
  };
  hub = await LoopbackHub.start({ [id]: { commit, files, license: "apache-2.0" } });
  mkdirSync(join(folder, "input"));
  writeFileSync(
    join(folder, "input", "a.md"),
    "# Leases\n\nA lease is an open stream.\n\n# Vectors\n\nA row of numbers.\n",
  );
});

afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `ragline` in a process of its own. */
function ragline(args: readonly string[], env: Record<string, string> = {}) {
  const options = {
    cwd: folder,
    env: { ...process.env, CI: "true", RAGLINE_WORKERS: "1", HF_HOME: home, HF_ENDPOINT: hub.endpoint, ...env },
  };
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}

/** Runs `ragline models` in this process. */
async function models(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      said[name] += String(chunk);
      return true;
    });
  const command = new Command().exitOverride();
  addModelsCommand(command);
  const places = ["--models-file", config, "--models-lock", join(folder, "ragline.models.lock"), "--hf-home", home];
  try {
    await command.parseAsync(["models", ...args, ...places, "--hf-endpoint", hub.endpoint], { from: "user" });
    return { code: process.exitCode, ...said };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}

const cached = (name: string) => existsSync(join(home, "hub/models--someone--MiniLM/snapshots", commit, name));

test("a model is added, and pulled", async () => {
  const added = await models("add", id);
  expect(added.stderr).toBe("");
  expect(added.stdout).toContain(`written to ${config}; pull it with: ragline models pull minilm`);
  const written = JSON.parse(readFileSync(config, "utf8")) as {
    models: { graphs: { fp32: { externalData: object[] } } }[];
  };
  expect(written.models).toMatchObject([
    { key: "minilm", pooling: "mean", maxTokens: 256, source: { revision: commit }, license: "apache-2.0" },
  ]);
  // Its weights have a name that no exporter gives, so this one cannot be known.
  written.models[0]?.graphs.fp32.externalData.push({ name: "w.onnx_data", sha256: "unpinned" });
  writeFileSync(config, JSON.stringify(written));
  const offline = await models("pull", id, "--local-files-only");
  expect(offline.stderr).toMatch(
    /someone\/MiniLM: tokenizer\.json, model\.onnx, w\.onnx_data are not in the cache .* models pull minilm$/m,
  );
  const pulled = await models("pull", id.toUpperCase());
  expect(pulled.stderr).toMatch(/^pull {4}minilm {2}started, 23\.\d MB\n$/);
  expect(pulled.stdout).toMatch(/^minilm {2}fp32\n.*tokenizer\.json\n.*model\.onnx\n.*w\.onnx_data\n$/);
  expect(cached("model.safetensors")).toBe(false);
});

test("a run with a pulled model opens no socket when offline, and gives the vectors of the same model", async () => {
  hub.requests.length = 0;
  const run = ["run", "--input", "input", "--disable-sparse", "--disable-rerank", "--precision", "fp32"];
  const { code, stderr } = await ragline(
    [...run, "--ensemble-models", "SOMEONE/minilm", "all-miniLM-l6", "--output-dir", "out"],
    { HF_HUB_OFFLINE: "1", NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(guard)}` },
  );
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const matrix = (name: string) => readFileSync(join(folder, "out", name)).toString("base64");
  expect(matrix("input_embeddings.npy")).toBe(matrix("input_all-miniLM-l6_embeddings.npy"));
  expect(hub.requests).toEqual([]);
});

test("files are verified, repaired, pruned and removed", async () => {
  expect(await models("verify", "minilm")).toEqual({ code: 0, stdout: "minilm  fp32  sound\n", stderr: "" });
  const blobs = join(home, "hub/models--someone--MiniLM/blobs");
  const large = readdirSync(blobs).filter((name) => name.length === 64);
  const graph = large.find((name) => readFileSync(join(blobs, name)).length < 1e6) ?? "";
  writeFileSync(join(blobs, graph), "damaged");
  const damaged = await models("verify", "minilm", "--json");
  expect(damaged.code).toBe(1);
  expect(JSON.parse(damaged.stdout)).toMatchObject({ sound: false, models: [{ model: "minilm", sound: false }] });
  expect((await models("pull", "minilm", "--refresh-cache")).code).toBe(0);
  expect((await models("verify", "minilm")).code).toBe(0);

  writeFileSync(join(blobs, "0".repeat(64)), "without a name");
  writeFileSync(join(blobs, `${"1".repeat(64)}.incomplete`), "of huggingface_hub");
  expect((await models("prune", "--dry-run")).stdout).toContain("0".repeat(64));
  expect(readdirSync(blobs)).toContain("0".repeat(64));
  await models("prune");
  expect(readdirSync(blobs)).not.toContain("0".repeat(64));
  expect(readdirSync(blobs)).toContain(`${"1".repeat(64)}.incomplete`);
  expect(cached("model.onnx")).toBe(true);
  expect((await models("remove", "minilm")).stdout).toMatch(/^minilm: 3 files removed, 23\.\d MB free\n$/);
  expect(cached("model.onnx")).toBe(false);
});

test("the list and a card say what there is and where it is", async () => {
  const { stdout } = await models("list", "--stage", "rerank");
  expect(stdout).toMatch(/rerank +bge-reranker-v2-m3 +BAAI\/bge-reranker-v2-m3 +the hub +\(fp32\) \(int8\) \(q4\)/);
  expect(stdout).toMatch(/qa-minilm-l6-cross-encoder .* with Ragline +fp32 int8 .*Apache-2\.0/);
  const card = await models("show", "Qwen/Qwen3-Embedding-0.6B");
  expect(card.stdout).toMatch(/pinned to +nothing yet: the first pull pins what it finds/);
  expect(card.stdout).toMatch(/query +"Instruct: \{instruction\}\\nQuery:\{text\}"/);
});

test.each([
  [["pull", "no-such-model"], 2, /"no-such-model" is no model of the registry; choose one of: .*bge-small-en/],
  [["pull", "jina-reranker-v3", "--precision", "int8"], 2, /has no graph in int8; choose one of: fp32/],
  [["pull", "qdrant-bm25"], 2, /needs no files: it counts words/],
  [["remove", "bge-small-en-v1.5"], 2, /was not pulled: its files come with Ragline, and stay/],
  [["verify", "bge-m3"], 2, /is not on this machine; pull it: ragline models pull bge-m3/],
  [["add", "no/such"], 1, /no\/such: no such repository, or a private one/],
])("ragline models %j exits %i and says why", async (args, code, message) => {
  const result = await models(...args);
  expect(result.stderr).toMatch(message);
  expect(result.code).toBe(code);
});
