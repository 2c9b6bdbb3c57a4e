// @huggingface/transformers as its users call it. It is no dependency of this repository, so its types are stated here.
import { answerMessages } from "./forked-worker.js";

/** What the peer is sent: first `open`, then texts to embed, one call for each batch. */
export type PeerMessage =
  | { readonly type: "open"; readonly modelsDir: string; readonly model: string }
  | { readonly type: "embed"; readonly batches: readonly (readonly string[])[] };

/** What the peer answers. */
export interface PeerReply {
  readonly version: string;
  /** What the message took. */
  readonly seconds: number;
}

type Extract = (texts: readonly string[], options: object) => Promise<unknown>;

interface Transformers {
  readonly env: { version: string; localModelPath: string; allowRemoteModels: boolean };
  readonly pipeline: (task: "feature-extraction", model: string, options: object) => Promise<Extract>;
}

const name: string = "@huggingface/transformers";
const { env, pipeline } = (await import(name)) as Transformers;
let extract: Extract;

answerMessages<PeerMessage, PeerReply>(async (message) => {
  const startedAt = performance.now();
  if (message.type === "open") {
    env.localModelPath = message.modelsDir;
    env.allowRemoteModels = false;
    extract = await pipeline("feature-extraction", message.model, { dtype: "fp32", device: "cpu" });
  } else {
    for (const batch of message.batches) await extract(batch, { pooling: "cls", normalize: true });
  }
  return { version: env.version, seconds: (performance.now() - startedAt) / 1000 };
});
