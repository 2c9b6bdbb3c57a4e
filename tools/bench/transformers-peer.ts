import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { VerifiedModel } from "@ragline/models";
import { ForkedWorker } from "./forked-worker.js";
import type { PeerMessage, PeerReply } from "./transformers-worker.js";

const name = "@huggingface/transformers";

/** Why the peer cannot be measured: it is not installed. */
export const peerIsMissing = `${name} is not installed, so there is no comparison with it; install it for this once with: npm i --no-save --ignore-scripts ${name}@4.3.1`;

/** Whether the peer is installed. */
export function hasPeer(): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Lays a model out as the peer wants to find it. */
async function layOut(model: VerifiedModel, modelsDir: string, folder: string): Promise<void> {
  const target = join(modelsDir, folder);
  await mkdir(join(target, "onnx"), { recursive: true });
  await copyFile(model.tokenizerPath, join(target, "tokenizer.json"));
  await copyFile(model.graphPath, join(target, "onnx", "model.onnx"));
  for (const { name: file } of model.entry.graphs.fp32?.externalData ?? []) {
    await copyFile(join(model.graphPath, "..", file), join(target, "onnx", file));
  }
  const tokenizer = {
    tokenizer_class: "BertTokenizer",
    model_max_length: model.entry.maxTokens,
    pad_token: "[PAD]",
  };
  await writeFile(join(target, "tokenizer_config.json"), JSON.stringify(tokenizer));
  await writeFile(join(target, "config.json"), JSON.stringify({ model_type: "bert" }));
}

/** feature-extraction of @huggingface/transformers over the same fp32 graph, in a process of its own. */
export class TransformersPeer {
  /** Its version. */
  readonly version: string;
  readonly #worker: ForkedWorker<PeerMessage, PeerReply>;

  private constructor(version: string, worker: ForkedWorker<PeerMessage, PeerReply>) {
    this.version = version;
    this.#worker = worker;
  }

  /**
   * Opens the model.
   * @param modelsDir an empty folder.
   * @throws Error when it cannot be opened.
   */
  static async open(model: VerifiedModel, modelsDir: string): Promise<TransformersPeer> {
    await layOut(model, modelsDir, model.entry.key);
    const worker = new ForkedWorker<PeerMessage, PeerReply>("transformers-worker");
    try {
      const { version } = await worker.request({ type: "open", modelsDir, model: model.entry.key });
      return new TransformersPeer(version, worker);
    } catch (error) {
      worker.close();
      throw error;
    }
  }

  /**
   * Embeds texts, one call for each batch.
   * @returns seconds for all of them.
   * @throws Error when a call fails.
   */
  async run(batches: readonly (readonly string[])[]): Promise<number> {
    return (await this.#worker.request({ type: "embed", batches })).seconds;
  }

  /** Ends its process. */
  close(): void {
    this.#worker.close();
  }
}
