import { findModel, hasGraph, type Precision, type VerifiedModel, verifyModel } from "@ragline/models";
import { TextTokenizer } from "@ragline/tokenizer";

/**
 * A model that runs a graph, with its tokenizer.
 * @throws Error when the registry has none of that name.
 */
export async function openGraphModel(
  key: string,
  stage: "dense" | "sparse" | "rerank",
  precision: Precision,
): Promise<{ model: VerifiedModel; tokenizer: TextTokenizer }> {
  const entry = findModel(key, stage);
  if (!hasGraph(entry)) throw new Error(`model ${key} has no graph to run`);
  const model = await verifyModel(entry, precision);
  return { model, tokenizer: TextTokenizer.fromFile(model.tokenizerPath) };
}
