import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Context, context } from "@opentelemetry/api";
import type { Run } from "@ragline/artifacts";
import {
  type EmbedRequestSchema,
  type EmbedResponse,
  type EncodeRequestSchema,
  type EncodeResponse,
  type ScoreRequestSchema,
  type ScoreResponse,
  type StageOpenSchema,
} from "@ragline/contracts";
import { fromFloat32Bytes, type SparseVector, unpackSparse } from "@ragline/vectors";
import { OpenModel } from "./open-model.js";
import { precisionOf } from "./precision-name.js";
import type { StageClients, StageName } from "./run-context.js";
import { queryBatches } from "./stage-requests.js";

/**
 * The sparse models of a run that can encode a query. Not those whose vectors were derived from metadata: no model made them.
 */
export function sparseQueryModels({ sparse, manifest }: Pick<Run, "sparse" | "manifest">): string[] {
  const known = new Set(manifest.models?.map(({ name }) => name));
  return sparse.filter((name) => known.has(name));
}

/** How the models of a run are opened again. */
export interface QueryModelsOptions {
  readonly run: Pick<Run, "manifest">;
  readonly stages: StageClients;
  readonly signal: AbortSignal;
  /** Precision of models that the run was not made with, such as another CrossEncoder. @default "auto" */
  readonly precision?: string;
  /** Whether models stay open from one query to the next; else each has its device for itself. @default false */
  readonly keepOpen?: boolean;
  /** Whose span the calls of the models are below. @default that of whoever asks first */
  readonly parent?: Context;
}

/** A model that does not stay open is given back when its answer has come. */
interface Closable {
  readonly hasFailed: boolean;
  close(): Promise<void>;
}

/** A passage that a CrossEncoder reads. */
export interface Passage {
  readonly id: string;
  readonly text: string;
}

/** The models that made a run, for queries: opened with the run's precision, since vectors of another are of another space. */
export class QueryModels {
  readonly #options: QueryModelsOptions;
  readonly #open = new Map<string, Closable>();

  constructor(options: QueryModelsOptions) {
    this.#options = options;
  }

  /** Dense vectors of queries, row after row. */
  async embed(model: string, queries: readonly string[]): Promise<Float32Array> {
    const client = await this.#options.stages.client("dense");
    const { signal } = this.#options;
    return this.#with(
      `dense ${model}`,
      () =>
        new OpenModel<MessageInitShape<typeof EmbedRequestSchema>, EmbedResponse>(
          this.#opening("dense", model),
          (messages) => client.embed(messages, { signal }),
        ),
      async (open) => {
        const blocks = await Promise.all(textMessages(queries).map((message) => open.ask(message)));
        const parts = blocks.map(({ values }) => fromFloat32Bytes(values));
        const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
        let at = 0;
        for (const part of parts) {
          all.set(part, at);
          at += part.length;
        }
        return all;
      },
    );
  }

  /** Sparse vectors of queries. */
  async encode(model: string, queries: readonly string[]): Promise<SparseVector[]> {
    const client = await this.#options.stages.client("sparse");
    const { signal } = this.#options;
    return this.#with(
      `sparse ${model}`,
      () =>
        new OpenModel<MessageInitShape<typeof EncodeRequestSchema>, EncodeResponse>(
          this.#opening("sparse", model),
          (messages) => client.encode(messages, { signal }),
        ),
      async (open) => {
        const blocks = await Promise.all(textMessages(queries).map((message) => open.ask(message)));
        return blocks.flatMap((block) => unpackSparse({ ...block, firstIndex: 0 }));
      },
    );
  }

  /** Scores of passages by position; a passage that could not be scored is missing. */
  async score(
    model: string,
    queryId: string,
    query: string,
    passages: readonly Passage[],
  ): Promise<Map<number, number>> {
    const client = await this.#options.stages.client("rerank");
    const { signal } = this.#options;
    return this.#with(
      `rerank ${model}`,
      () =>
        new OpenModel<MessageInitShape<typeof ScoreRequestSchema>, ScoreResponse>(
          this.#opening("rerank", model),
          (messages) => client.score(messages, { signal }),
        ),
      async (open) => {
        const value = { queryId, query, candidates: passages.map(({ id, text }) => ({ id, text })) };
        const { scores, failures } = await open.ask({ kind: { case: "query", value } });
        const unscored = new Set(failures.map(({ position }) => position));
        return new Map(passages.flatMap((_, i) => (unscored.has(i) ? [] : [[i, scores[i] ?? Number.NaN] as const])));
      },
    );
  }

  /** Closes a model that stayed open. */
  async release(stage: StageName, model: string): Promise<void> {
    const name = `${stage} ${model}`;
    const open = this.#open.get(name);
    this.#open.delete(name);
    await open?.close();
  }

  /** Closes what is open. */
  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map((model) => model.close()));
  }

  async #with<Model extends Closable, Result>(
    name: string,
    openModel: () => Model,
    use: (model: Model) => Promise<Result>,
  ): Promise<Result> {
    const known = this.#open.get(name) as Model | undefined;
    // A stream that broke while nobody asked, as when a service was restarted, is opened anew.
    const { parent = context.active() } = this.#options;
    const model = known === undefined || known.hasFailed ? context.with(parent, openModel) : known;
    this.#open.set(name, model);
    try {
      return await use(model);
    } finally {
      if (this.#options.keepOpen !== true || model.hasFailed) {
        this.#open.delete(name);
        await model.close();
      }
    }
  }

  #opening(
    stage: StageName,
    model: string,
  ): { kind: { case: "open"; value: MessageInitShape<typeof StageOpenSchema> } } {
    const { run, stages, precision: asked } = this.#options;
    const recorded = run.manifest.models?.find(({ name }) => name === model);
    const precision = precisionOf(recorded === undefined ? asked : recorded["precision"]);
    return { kind: { case: "open", value: { model, precision, leaseBroker: stages.leaseBroker(stage) } } };
  }
}

function textMessages(queries: readonly string[]) {
  return [...queryBatches(queries)].map((value) => ({ kind: { case: "texts" as const, value } }));
}
