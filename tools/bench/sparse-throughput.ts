// The sparse stage's learned model through its service, against a bare loop over the same graph.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type EncodeRequestSchema, InputType, Precision, SparseService } from "@ragline/contracts";
import { createClient } from "@ragline/rpc";
import { inBatches } from "./batching.js";
import { doclingChunks, readDoclingChunks } from "./corpus.js";
import { runBenchmark } from "./run-benchmark.js";
import { measureStage, readSummary } from "./stage-throughput.js";

const model = "splade-tiny";
const defaultTexts = 256;
// As many as the orchestrator puts into one message.
const textsPerMessage = 16;

await runBenchmark({
  name: "sparse-throughput",
  defaultRounds: 3,
  needs: doclingChunks,
  measure: async (context) => {
    const texts = (
      await readDoclingChunks(context.dataDir, context.limit ?? (context.whole ? undefined : defaultTexts))
    ).map(({ text }) => text);
    async function* requests(): AsyncGenerator<MessageInitShape<typeof EncodeRequestSchema>> {
      yield { kind: { case: "open", value: { model, precision: Precision.AUTO } } };
      for (const [i, batch] of inBatches(texts, textsPerMessage).entries()) {
        const firstIndex = BigInt(i * textsPerMessage);
        yield { kind: { case: "texts", value: { firstIndex, inputType: InputType.PASSAGE, texts: [...batch] } } };
      }
    }
    return measureStage(
      {
        stage: "sparse",
        model,
        unit: "texts",
        tokenise: (tokenizer, { entry }) => texts.map((text) => tokenizer.encode(text, entry.maxTokens)),
        callService: async (address) => {
          const client = createClient(SparseService, address);
          try {
            return await readSummary(client.encode(requests()));
          } finally {
            client.close();
          }
        },
      },
      context,
    );
  },
});
