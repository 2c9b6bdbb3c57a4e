import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Dataset, documentText, openDataset, readTrecQrels, readTrecRun, writeTrecRun } from "./index.js";

/** A directory with these files, removed when the test is over. */
async function directory(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "ragline-dataset-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

async function documentsOf(dataset: Dataset): Promise<string[]> {
  const found: string[] = [];
  for await (const document of dataset.documents()) found.push(`${document.id}: ${documentText(document)}`);
  return found;
}

const plain = (dataset: Dataset) =>
  Object.fromEntries([...dataset.judgements].map(([query, grades]) => [query, Object.fromEntries(grades)]));

const beir = {
  "corpus.jsonl": '{"_id":"d1","title":"One","text":"first"}\n{"_id":2,"text":"second"}\r\n\n',
  "queries.jsonl": '{"_id":"q1","text":"what"}\n{"_id":"q2","text":"unjudged"}\n{"_id":"q3"}\n',
  "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\t2\t0\nq1\t2\t0\nq3\td1\t1\nq9\td1\t1\n",
  "qrels/train.tsv": "query-id\tcorpus-id\tscore\nq2\t2\t1\n",
};

test("BEIR: documents, judged queries, splits, and what was left out", async () => {
  const dir = await directory(beir);
  const dataset = await openDataset(dir);
  expect(await documentsOf(dataset)).toEqual(["d1: One first", "2: second"]);
  expect(dataset).toMatchObject({ format: "beir", split: "test", queries: [{ id: "q1", text: "what" }] });
  expect(plain(dataset)).toEqual({ q1: { d1: 1, "2": 0 } });
  expect(dataset.warnings.map(({ kind, count }) => `${count} ${kind}`)).toEqual([
    "1 duplicate-judgement",
    "1 query-without-text",
    "1 judged-query-missing",
  ]);
  expect(plain(await openDataset(dir, { split: "train" }))).toEqual({ q2: { "2": 1 } });
});

test.each([
  ["an unknown split", beir, { split: "dev" }, 'no judgements of the split "dev": there are test, train'],
  ["no qrels", { ...beir, "qrels/test.tsv": "", "qrels/train.tsv": "" }, {}, "holds no judgement"],
  ["a damaged corpus", { ...beir, "corpus.jsonl": '{"_id":"d1"' }, {}, "corpus.jsonl, line 1: is not valid JSON"],
  ["a document without text", { ...beir, "corpus.jsonl": '{"_id":"d1"}' }, {}, 'line 1: needs "text"'],
  [
    "a document twice",
    { ...beir, "corpus.jsonl": '{"_id":"1","text":"a"}\n{"_id":"1","text":"b"}' },
    {},
    "occurs twice",
  ],
  [
    "a query twice",
    { ...beir, "queries.jsonl": '{"_id":"1","text":"a"}\n{"_id":"1","text":"b"}' },
    {},
    "already taken",
  ],
  ["contradictory grades", { ...beir, "qrels/test.tsv": "q1 d1 1\nq1 d1 2\n" }, {}, "line 2: document d1 of query q1"],
  ["a grade in words", { ...beir, "qrels/test.tsv": "q1 d1 1\nq1 d2 yes\n" }, {}, "line 2: the grade"],
  ["only queries without text", { ...beir, "queries.jsonl": '{"_id":"q1","text":" "}' }, {}, "no query has both"],
])("BEIR with %s is refused with a sentence", async (_, files, options, message) => {
  const dir = await directory(files);
  const read = openDataset(dir, options).then(documentsOf);
  await expect(read).rejects.toThrow(message);
});

const cranfield = {
  "cran.all":
    ".I 1\n.T\na wing\n.A\nsomebody\n.B\n1958\n.W\na wing\nin a slipstream .\n.I 2\n.T\nheat\n.A\n.B\n.W\nflow\n",
  "cran.qry": ".I 001\n.W\nwhat lift\nis there\n.I 004\n.W\nwhich heat\n",
  cranqrel: "1 1 1\n1 2 4 \n2 2 -1\n2 1 5",
  "cranqrel.readme": "1 is best",
};

test("SMART: Cranfield's records, positions as query ids, codes as grades", async () => {
  const dataset = await openDataset(await directory(cranfield));
  expect(await documentsOf(dataset)).toEqual(["1: a wing in a slipstream .", "2: heat flow"]);
  expect(dataset.queries).toEqual([
    { id: "1", text: "what lift is there" },
    { id: "2", text: "which heat" },
  ]);
  expect(plain(dataset)).toEqual({ 1: { 1: 4, 2: 1 }, 2: { 2: -1, 1: 0 } });
  expect(dataset.warnings).toMatchObject([{ kind: "undefined-relevance-code", count: 1 }]);
});

test.each([
  ["of TREC's form", "1 0 2 1\n2 0 1 1\n", { 1: { 2: 1 }, 2: { 1: 1 } }],
  ["without grades", "01 0002  0 0.000\n2 1 0 0.000\n", { 1: { 2: 1 }, 2: { 1: 1 } }],
])("SMART: judgements %s", async (_, cranqrel, expected) => {
  expect(plain(await openDataset(await directory({ ...cranfield, cranqrel })))).toEqual(expected);
});

test("SMART: a document that occurs twice is refused", async () => {
  const dir = await directory({
    ...cranfield,
    "cran.qry": ".I 1\n.W\nquery\n",
    "cran.all": ".I 1\n.W\nx\n.I 1\n.W\ny\n",
  });
  const dataset = await openDataset(dir);
  await expect(documentsOf(dataset)).rejects.toThrow(".I 1 occurs twice");
});

const trecSgml = {
  "docs.trec":
    "<DOC>\n<DOCNO> A-1 </DOCNO>\n<TITLE>Wings</TITLE>\n<TEXT>\nlift <b>and</b> drag\n</TEXT>\n</DOC>\n<DOC><DOCNO>A-2</DOCNO><TEXT>heat</TEXT></DOC>\n",
  "topics.txt": "<top>\n<num> Number: 7\n<title> lift of wings\n\n<desc> Description:\nmore\n</top>\n",
  "qrels.txt": "7 0 A-1 2\n7 0 gone -1\n",
};

test("TREC: SGML documents and topics", async () => {
  const dataset = await openDataset(await directory(trecSgml));
  expect(await documentsOf(dataset)).toEqual(["A-1: Wings lift and drag", "A-2: heat"]);
  expect(dataset).toMatchObject({ format: "trec", queries: [{ id: "7", text: "lift of wings" }] });
  expect(plain(dataset)).toEqual({ 7: { "A-1": 2, gone: -1 } });
});

test("TREC: tab-separated documents and queries", async () => {
  const files = {
    "collection.tsv": "d1\ttext one\nd2\tTitle\ttext two\n",
    "queries.tsv": "q\twhat\n",
    qrels: "q 0 d1 1\n",
  };
  const dataset = await openDataset(await directory(files));
  expect(await documentsOf(dataset)).toEqual(["d1: text one", "d2: Title text two"]);
  expect(dataset.queries).toEqual([{ id: "q", text: "what" }]);
});

test.each([
  ["an open document", { ...trecSgml, "docs.trec": "<DOC>\n<DOCNO>1</DOCNO>\n" }, "line 1: <doc> is never closed"],
  ["a document without a number", { ...trecSgml, "docs.trec": "<DOC></DOC>" }, "no <DOCNO>"],
  ["a topic without a number", { ...trecSgml, "topics.txt": "<top></top>" }, "no <num>"],
  ["three fields in a judgement", { ...trecSgml, "qrels.txt": "7 A-1 1" }, "line 1: has 3 fields"],
])("TREC with %s is refused with a sentence", async (_, files, message) => {
  await expect(directory(files).then(openDataset).then(documentsOf)).rejects.toThrow(message);
});

test("a data set of one document is one", async () => {
  const files = {
    "corpus.jsonl": '{"_id":"d","text":"t"}',
    "queries.jsonl": '{"_id":"q","text":"t"}',
    "qrels/test.tsv": "q d 1",
  };
  const dataset = await openDataset(await directory(files));
  expect(await documentsOf(dataset)).toEqual(["d: t"]);
});

test.each([[{ "notes.md": "nothing" }, "no data set of a known layout"]])(
  "%j is no data set",
  async (files, message) => {
    await expect(openDataset(await directory(files))).rejects.toThrow(message);
    await expect(openDataset("/does/not/exist")).rejects.toThrow("is no directory");
  },
);

test("run files: fields, duplicates, scores that are no numbers", async () => {
  const dir = await directory({
    good: "q Q0 d1 9 1.5 tag\n\nq Q0 d2 1 2e0 tag\nq Q0 d1 3 1 tag\n",
    short: "q Q0 d1 1 1.5\n",
    nan: "q Q0 d1 1 1.5 t\nq Q0 d2 1 nan t\n",
    empty: "\n",
  });
  const run = await readTrecRun(join(dir, "good"));
  expect(run.scores).toEqual(
    new Map([
      [
        "q",
        new Map([
          ["d1", 1.5],
          ["d2", 2],
        ]),
      ],
    ]),
  );
  expect(run.warnings).toMatchObject([{ kind: "duplicate-run-line", count: 1 }]);
  await expect(readTrecRun(join(dir, "short"))).rejects.toThrow("line 1: has 5 fields");
  await expect(readTrecRun(join(dir, "nan"))).rejects.toThrow('line 2: the score "nan" is not a finite number');
  await expect(readTrecRun(join(dir, "empty"))).rejects.toThrow("holds no line of a run");
  await expect(readTrecRun(join(dir, "none"))).rejects.toThrow("does not exist");
  await expect(readTrecQrels(join(dir, "empty"))).rejects.toThrow("holds no judgement");
});

test("a run file that was written reads back the same, ranks from 1", async () => {
  const dir = await directory({});
  const path = join(dir, "out.run");
  const scores = new Map([
    [
      "q2",
      new Map([
        ["a", 0.1],
        ["b", 1 / 3],
      ]),
    ],
    ["q1", new Map([["a", -1e-9]])],
  ]);
  await writeTrecRun(path, scores, "my system");
  expect((await readFile(path, "utf8")).split("\n")[0]).toBe("q2 Q0 b 1 0.3333333333333333 my-system");
  expect(await readTrecRun(path)).toEqual({ scores, tag: "my-system", warnings: [] });
  await expect(writeTrecRun(path, new Map([["q", new Map([["a b", 1]])]]), "t")).rejects.toThrow("white space");
  expect((await readTrecRun(path)).tag).toBe("my-system");
});
