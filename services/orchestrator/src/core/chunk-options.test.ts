import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { resolveSettings } from "@ragline/config";
import { modelEntrySchema, useModels } from "@ragline/models";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { directoryOf } from "../run-fixture.js";
import { runSettings } from "../run-settings.js";
import { chunkOptions } from "./chunk-options.js";

const { values } = resolveSettings(runSettings, { env: {} });

afterEach(() => useModels([]));

test("a tokenizer that is missing or unusable is the model's fault, not a document's", async () => {
  const folder = await directoryOf({});
  onTestFinished(folder.remove);
  const file = (name: string) => ({ name, sha256: "unpinned" as const });
  const own = modelEntrySchema.parse({
    key: "own",
    huggingFaceId: "me/own",
    stage: "dense",
    loader: "encoder",
    source: { kind: "folder", path: folder.path },
    dimension: 8,
    maxTokens: 16,
    pooling: "mean",
    tokenizer: { file: file("tokenizer.json") },
    output: { name: "last_hidden_state", head: "hidden-states" },
    graphs: { fp32: { graph: file("model.onnx") } },
    license: "MIT",
  });
  useModels([own]);
  const options = () => chunkOptions({ ...values, ensembleModels: ["own"] }, "docs");
  await expect(options()).rejects.toThrow(
    /^model own: cannot read .*tokenizer\.json: ENOENT.*; correct the folder or the file's name in its entry$/,
  );
  await writeFile(join(folder.path, "tokenizer.json"), "<html>");
  await expect(options()).rejects.toThrow(
    /^model own: the tokenizer .*tokenizer\.json cannot be used: Unexpected token/,
  );
  await expect(chunkOptions({ ...values, modelsDir: folder.path }, "docs")).rejects.toThrow(
    /^model all-miniLM-l6: cannot read .*; restore the file or set RAGLINE_MODELS_DIR$/,
  );
});
