// The rerank stage through its service, against a bare loop over the same graph.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Precision, RerankService, type ScoreRequestSchema } from "@ragline/contracts";
import { createClient } from "@ragline/rpc";
import { inBatches } from "./batching.js";
import { doclingChunks, readDoclingChunks } from "./corpus.js";
import { runBenchmark } from "./run-benchmark.js";
import { measureStage, readSummary } from "./stage-throughput.js";

const model = "qa-minilm-l6-cross-encoder";
const defaultPairs = 240;
const candidatesPerQuery = 20;
const queryWords = 10;

await runBenchmark({
  name: "rerank-throughput",
  defaultRounds: 3,
  needs: doclingChunks,
  measure: async (context) => {
    const records = await readDoclingChunks(context.dataDir, context.limit ?? defaultPairs);
    const passages = records.map(({ text }) => text);
    // Each query asks for the first of its own candidates.
    const queries = inBatches(passages, candidatesPerQuery).map((candidates) => ({
      query: (candidates[0] ?? "").split(/\s+/).slice(0, queryWords).join(" "),
      candidates,
    }));
    async function* requests(): AsyncGenerator<MessageInitShape<typeof ScoreRequestSchema>> {
      yield { kind: { case: "open", value: { model, precision: Precision.AUTO } } };
      for (const [i, { query, candidates }] of queries.entries()) {
        const named = candidates.map((text, candidate) => ({ id: `${i}-${candidate}`, text }));
        yield { kind: { case: "query", value: { queryId: `${i}`, query, candidates: named } } };
      }
    }
    return measureStage(
      {
        stage: "rerank",
        model,
        unit: "pairs",
        tokenise: (tokenizer, { entry }) =>
          queries.flatMap(({ query, candidates }) =>
            candidates.map((text) => tokenizer.encodePair(query, text, entry.maxTokens)),
          ),
        callService: async (address) => {
          const client = createClient(RerankService, address);
          try {
            return await readSummary(client.score(requests()));
          } finally {
            client.close();
          }
        },
      },
      context,
    );
  },
});
