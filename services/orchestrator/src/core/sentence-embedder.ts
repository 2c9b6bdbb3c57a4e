import type { EmbedTexts, TextVectors } from "@ragline/chunking";
import { type DenseVectors, InputType } from "@ragline/contracts";
import { findModel } from "@ragline/models";
import { RaglineError } from "@ragline/rpc";
import { fromFloat32Bytes } from "@ragline/vectors";
import { Bell } from "./bell.js";
import type { RunContext } from "./run-context.js";
import { runModel } from "./run-model.js";
import { stageOpen, type Texts, textRequests } from "./stage-requests.js";

interface Request {
  readonly texts: readonly string[];
  readonly resolve: (vectors: TextVectors) => void;
  readonly reject: (error: unknown) => void;
}

/** Embeds sentences by the first model of the ensemble, on one stream to the dense stage that is open until `close`. */
export class SentenceEmbedder {
  readonly #context: RunContext;
  readonly #collection: string;
  readonly #waiting: Request[] = [];
  readonly #sent: Request[] = [];
  readonly #bell = new Bell();
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** Nothing is opened before the first texts come. */
  constructor(context: RunContext, collection: string) {
    this.#context = context;
    this.#collection = collection;
  }

  /** @throws RaglineError when the dense stage fails. */
  readonly embed: EmbedTexts = (texts) => {
    this.#running ??= this.#run();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ texts, resolve, reject });
      this.#bell.ring();
    });
  };

  /** Ends the stream. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#bell.ring();
    await this.#running;
  }

  async #run(): Promise<void> {
    const context = this.#context;
    const model = findModel(context.settings.ensembleModels[0] ?? "", "dense").key;
    const open = stageOpen(context, "dense", model);
    try {
      await runModel<"dense", Texts, DenseVectors>(context, {
        stage: "dense",
        model,
        collection: this.#collection,
        unit: "sentences",
        total: () => 0,
        batches: this.#batches(),
        itemsOf: ({ texts }) => texts.length,
        progressOf: () => 0,
        open: (client, batches, signal) => client.embed(textRequests(open, batches, []), { signal }),
        check: ({ texts }, { rows }) => {
          if (rows === texts.length) return;
          throw new RaglineError(
            "INTERNAL",
            "BAD_VECTORS",
            `the dense service sent ${rows} vectors for ${texts.length} sentences`,
          );
        },
        onResult: async (_, { values, columns }) => {
          this.#sent.shift()?.resolve({ vectors: fromFloat32Bytes(values), columns });
        },
      });
    } catch (error) {
      for (const { reject } of [...this.#sent, ...this.#waiting]) reject(error);
    }
  }

  async *#batches(): AsyncGenerator<Texts> {
    let firstIndex = 0;
    for (;;) {
      const request = this.#waiting.shift();
      if (request !== undefined) {
        this.#sent.push(request);
        yield { firstIndex: BigInt(firstIndex), inputType: InputType.PASSAGE, texts: [...request.texts] };
        firstIndex += request.texts.length;
      } else if (this.#isClosed || this.#context.signal.aborted) return;
      else await this.#bell.wait();
    }
  }
}
