import { availableParallelism } from "node:os";
import { DenseIndex } from "@ragline/retrieval";
import { peerHint, peerModule } from "./peer-module.js";
import type { Figure, Findings } from "./report.js";
import type { BenchContext } from "./run-benchmark.js";
import { columns, unitVectors } from "./search-corpus.js";
import { ratioOf, spreadOf } from "./statistics.js";

const queryCount = 32;
const k = 100;

/** What is measured: all queries, one after the other or at once. */
interface Contestant {
  readonly name: string;
  /** Threads it uses: those with one are measured in seconds of the processor, the others by the clock. */
  readonly threads: number;
  /** Asks each query alone, as a search does, or all at once, as an evaluation does. */
  readonly isBatch: boolean;
  readonly isPeer: boolean;
  /** The best row of each query. */
  readonly search: () => Promise<number[]> | number[];
}

interface Usearch {
  exactSearch(
    dataset: Float32Array,
    queries: Float32Array,
    dimensions: number,
    count: number,
    metric: string,
    threads: number,
  ): { readonly keys: BigUint64Array };
}

interface Hnswlib {
  readonly BruteforceSearch: new (
    space: "ip",
    columns: number,
  ) => {
    initIndex(rows: number): void;
    addPoint(vector: number[], label: number): void;
    searchKnn(query: number[], k: number): { readonly neighbors: number[]; readonly distances: number[] };
  };
}

function usearchContestants(corpus: Float32Array, queries: Float32Array, cores: number): Contestant[] | undefined {
  const usearch = peerModule<Usearch>("usearch");
  if (usearch === undefined) return undefined;
  const first = (asked: Float32Array, threads: number) => {
    const { keys } = usearch.exactSearch(corpus, asked, columns, k, "ip", threads);
    return Array.from({ length: asked.length / columns }, (_, q) => Number(keys[q * k]));
  };
  const each = () =>
    Array.from({ length: queryCount }, (_, q) => first(queries.slice(q * columns, (q + 1) * columns), 1)[0] ?? -1);
  const peer = { name: "usearch exactSearch", isPeer: true };
  return [
    { ...peer, threads: 1, isBatch: false, search: each },
    { ...peer, threads: cores, isBatch: true, search: () => first(queries, cores) },
  ];
}

function hnswlibContestant(corpus: Float32Array, queries: Float32Array): Contestant | undefined {
  const hnswlib = peerModule<Hnswlib>("hnswlib-node");
  if (hnswlib === undefined) return undefined;
  const index = new hnswlib.BruteforceSearch("ip", columns);
  const row = (values: Float32Array, at: number) => Array.from(values.subarray(at * columns, (at + 1) * columns));
  index.initIndex(corpus.length / columns);
  for (let at = 0; at < corpus.length / columns; at++) index.addPoint(row(corpus, at), at);
  const asked = Array.from({ length: queryCount }, (_, q) => row(queries, q));
  const best = (query: number[]) => {
    const { neighbors, distances } = index.searchKnn(query, k);
    return neighbors[distances.indexOf(Math.min(...distances))] ?? -1;
  };
  return { name: "hnswlib brute force", threads: 1, isBatch: false, isPeer: true, search: () => asked.map(best) };
}

/** Dense exact search against usearch's and hnswlib's, each in turn in every round. */
export async function measureDenseSearch({ rounds, limit, say }: BenchContext, rows: number): Promise<Findings> {
  const count = Math.min(rows, limit ?? rows);
  const corpus = unitVectors(count, 1);
  const queries = unitVectors(queryCount, 2);
  const cores = availableParallelism();
  const blocks = [{ firstIndex: 0, columns, values: corpus }];
  const alone = await DenseIndex.load(blocks, count, columns, { threads: 1 });
  const spread = await DenseIndex.load(blocks, count, columns, { threads: cores });
  const each = async (index: DenseIndex) => {
    const found: number[] = [];
    for (let q = 0; q < queryCount; q++) {
      const [list] = await index.search(queries.subarray(q * columns, (q + 1) * columns), { k });
      found.push(list?.[0]?.row ?? -1);
    }
    return found;
  };
  const atOnce = async (index: DenseIndex) => (await index.search(queries, { k })).map((list) => list[0]?.row ?? -1);
  const own = { name: "exact", isPeer: false };
  const usearch = usearchContestants(corpus, queries, cores);
  const hnswlib = hnswlibContestant(corpus, queries);
  const contestants: Contestant[] = [
    { ...own, threads: 1, isBatch: false, search: () => each(alone) },
    { ...own, threads: cores, isBatch: false, search: () => each(spread) },
    { ...own, threads: 1, isBatch: true, search: () => atOnce(alone) },
    { ...own, threads: cores, isBatch: true, search: () => atOnce(spread) },
    ...(usearch ?? []),
    ...(hnswlib === undefined ? [] : [hnswlib]),
  ];
  const rates = contestants.map((): number[] => []);
  const clock: number[] = [];
  // Once beforehand: compiling is not searching. All find the same.
  const expected = await each(alone);
  const notes = [`${count} x ${columns}, top ${k}; ${queryCount} queries in each round`];
  for (const { name, search } of contestants) {
    const same = (await search()).filter((row, q) => row === expected[q]).length;
    if (same < queryCount) notes.push(`${name} has the same best row for ${same} of ${queryCount} queries`);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, { search, threads }] of contestants.entries()) {
      const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
      await search();
      const seconds = (performance.now() - startedAt) / 1000;
      const { user, system } = process.cpuUsage(cpuBefore);
      rates[i]?.push(queryCount / (threads === 1 ? (user + system) / 1e6 : seconds));
      if (i === 1) clock.push((1000 * seconds) / queryCount);
    }
    say(`dense, round ${round + 1} of ${rounds}`);
  }
  await spread.close();
  if (usearch === undefined) notes.push(peerHint("usearch@2.25.3"));
  if (hnswlib === undefined) notes.push(peerHint("hnswlib-node@3.0.0"));
  return { figures: figuresOf(contestants, rates, clock), notes };
}

function figuresOf(
  contestants: readonly Contestant[],
  rates: readonly (readonly number[])[],
  clock: readonly number[],
): Figure[] {
  const figures = contestants.map(({ name, threads, isBatch }, i): Figure => {
    const how = `${threads === 1 ? "one thread" : `${threads} threads`}, ${isBatch ? "all at once" : "one by one"}`;
    return {
      name: `${name}, ${how}`,
      unit: threads === 1 ? "queries/CPU-s" : "queries/s",
      ...spreadOf(rates[i] ?? []),
    };
  });
  figures.push({
    name: "exact, all threads, milliseconds for one query",
    unit: "ms",
    ...spreadOf(clock),
    aim: { atMost: 100 },
  });
  contestants.forEach((peer, i) => {
    if (!peer.isPeer) return;
    const ours = contestants.findIndex(
      ({ isPeer, threads, isBatch }) => !isPeer && threads === peer.threads && isBatch === peer.isBatch,
    );
    figures.push({
      name: `exact / ${peer.name}, ${peer.threads === 1 ? "one thread" : "all threads"}`,
      unit: "",
      ...ratioOf(rates[ours] ?? [], rates[i] ?? []),
      aim: { atLeast: 1 },
    });
  });
  return figures;
}
