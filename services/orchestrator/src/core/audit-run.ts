import { documentOf } from "@ragline/artifacts";
import {
  type Anomaly,
  auditReport,
  DenseVectorAudit,
  findAnomalies,
  type SelfAudit,
  SparseVectorAudit,
} from "@ragline/evaluation";
import type { FusedCandidate } from "@ragline/fusion";
import type { DenseBlock, SparseBlock } from "@ragline/vectors";
import type { AuditTexts } from "./audit-texts.js";
import type { ChunkSpool } from "./chunk-spool.js";
import type { DenseSpace } from "./dense-stage.js";
import type { ModelResults } from "./retrieve.js";
import type { RunQuery } from "./run-queries.js";
import type { SparseSpace } from "./sparse-stage.js";

/** Blocks as they are, each shown to somebody on its way. */
async function* shown<Block>(blocks: AsyncIterable<Block>, show: (block: Block) => void): AsyncGenerator<Block> {
  for await (const block of blocks) {
    show(block);
    yield block;
  }
}

/** Watches the vectors of a run while they are searched, so that they are not read a second time. */
export class VectorWatch {
  readonly dense = new Map<string, DenseVectorAudit>();
  readonly sparse = new Map<string, SparseVectorAudit>();
  readonly #chunks: number;

  /** @param chunks rows of the run. */
  constructor(chunks: number) {
    this.#chunks = chunks;
  }

  /** Blocks of a dense model; the first reader has them watched. */
  watchDense(model: string, blocks: AsyncIterable<DenseBlock>): AsyncIterable<DenseBlock> {
    if (this.dense.has(model)) return blocks;
    const audit = new DenseVectorAudit(this.#chunks);
    this.dense.set(model, audit);
    return shown(blocks, (block) => audit.add(block));
  }

  /** Blocks of a sparse model; the first reader has them watched. */
  watchSparse(model: string, blocks: AsyncIterable<SparseBlock>): AsyncIterable<SparseBlock> {
    if (this.sparse.has(model)) return blocks;
    const audit = new SparseVectorAudit(this.#chunks);
    this.sparse.set(model, audit);
    return shown(blocks, (block) => audit.add(block));
  }
}

/** An anomaly with the chunks that stand for it. */
export interface NamedAnomaly extends Omit<Anomaly, "rows"> {
  readonly examples: readonly { readonly row: number; readonly id: string; readonly document: string }[];
}

/** What a run found out about itself. */
export interface RunAudit {
  /** Absent when the queries came from outside, or there were none. */
  readonly selfAudit?: SelfAudit;
  readonly anomalies: readonly NamedAnomaly[];
}

async function named(anomalies: readonly Anomaly[], chunks: ChunkSpool): Promise<NamedAnomaly[]> {
  const result: NamedAnomaly[] = [];
  for (const { rows, ...anomaly } of anomalies) {
    const examples = (await chunks.rows(rows)).map(({ id, metadataJson }, i) => ({
      row: rows[i] as number,
      id,
      document: documentOf(JSON.parse(metadataJson) as Record<string, unknown>),
    }));
    result.push({ ...anomaly, examples });
  }
  return result;
}

type Rankings = readonly (readonly { readonly row: number }[])[];

/** Audits every model alone, fused, and reranked, and looks for anomalies of chunks and vectors. */
export async function auditRun(run: {
  readonly chunks: ChunkSpool;
  readonly queries: readonly RunQuery[];
  readonly texts: AuditTexts;
  readonly watch: VectorWatch;
  readonly dense: readonly DenseSpace[];
  readonly sparse: readonly SparseSpace[];
  readonly results: readonly ModelResults[];
  readonly fused: readonly FusedCandidate[][];
  /** Absent without reranking. */
  readonly reranked: Rankings | undefined;
}): Promise<RunAudit> {
  const { chunks, queries, texts, watch, dense, sparse, results, fused, reranked } = run;
  const ranking = (name: string, lists: Rankings) => ({
    ranking: name,
    lists: lists.map((list) => list.map(({ row }) => row)),
  });
  const rankings = [
    ...results.map(({ model, lists }) => ranking(model, lists)),
    ranking("fused", fused),
    ...(reranked ? [ranking("reranked", reranked)] : []),
  ];
  const answered = queries.flatMap(({ origin }) => (origin ? { ...origin, ...texts.answersTo(origin) } : []));
  const isAudit = queries.length > 0 && answered.length === queries.length;
  const selfAudit = isAudit ? auditReport(answered, rankings) : undefined;
  const watched = <Vectors>(
    spaces: readonly { model: string; truncated: DenseSpace["truncated"] }[],
    seen: ReadonlyMap<string, Vectors>,
  ) =>
    spaces.flatMap(({ model, truncated }) => {
      const vectors = seen.get(model);
      return vectors === undefined ? [] : { model, truncated, vectors };
    });
  const anomalies = findAnomalies({
    chunks: chunks.count,
    textKeys: texts.keys,
    dense: watched(dense, watch.dense),
    sparse: watched(sparse, watch.sparse),
    ...(selfAudit ? { audit: selfAudit } : {}),
    rankings,
  });
  return { ...(selfAudit ? { selfAudit } : {}), anomalies: await named(anomalies, chunks) };
}
