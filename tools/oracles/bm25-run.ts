import { type Dataset, documentText, type RunScores } from "@ragline/evaluation";
import { Bm25, countWords } from "@ragline/lexical";
import { InvertedIndex, PostingsBuilder } from "@ragline/retrieval";

/** The first 100 documents of each query by BM25 with Ragline's defaults, one chunk for each document. */
export async function bm25Run(dataset: Dataset): Promise<RunScores> {
  const ids: string[] = [];
  const texts: string[] = [];
  for await (const document of dataset.documents()) {
    const text = documentText(document);
    if (text === "") continue;
    ids.push(document.id);
    texts.push(text);
  }
  const bm25 = new Bm25({ averageLength: texts.reduce((sum, text) => sum + countWords(text), 0) / texts.length });
  const builder = new PostingsBuilder();
  for (const text of texts) {
    const { vector } = bm25.document(text);
    builder.add(vector.indices, vector.values);
  }
  const index = new InvertedIndex(builder.build());
  const lists = index.search(
    dataset.queries.map(({ text }) => bm25.query(text).vector),
    { k: 100, modifier: "idf" },
  );
  return new Map(
    dataset.queries.map(({ id }, q) => [
      id,
      new Map((lists[q] ?? []).map(({ row, score }) => [ids[row] as string, score])),
    ]),
  );
}
