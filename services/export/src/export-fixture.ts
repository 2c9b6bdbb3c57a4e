import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pointIds } from "@ragline/artifacts";
import { ExportService } from "@ragline/contracts";
import { type Client, createClient } from "@ragline/rpc";
import { startService } from "@ragline/service-kit";
import { packSparse, type SparseBlock, toFloat32Bytes } from "@ragline/vectors";
import { exportHandlers } from "./export-handlers.js";

// What the tests of the service share: a real server, and a small run to send to it.

type ExportClient = Client<typeof ExportService>;
/** What a client sends on the export stream. */
export type Request = Parameters<ExportClient["export"]>[0] extends AsyncIterable<infer R> ? R : never;
/** A message of the export stream. */
export type Kind = NonNullable<Request["kind"]>;
/** What the service says it has staged. */
export type Files = readonly { name: string; bytes: bigint; sha256: string }[];

/** Connected to a service on a free port. */
export let client: ExportClient;
/** An empty directory of the test that runs. */
export let outputDir: string;

/** Starts a service and connects to it; returns what ends both. For `beforeAll`. */
export async function connect(): Promise<() => Promise<void>> {
  const handlers = () => exportHandlers({ observeLatency() {}, countChunks() {}, observeExportSize() {} });
  const service = await startService(
    { name: "export", service: ExportService, handlers },
    { args: ["--log-level", "silent"] },
  );
  client = createClient(ExportService, service.address);
  return async () => {
    client.close();
    await service.drain(0);
  };
}

/** Makes the test's output directory; returns what removes it. For `beforeEach`. */
export function freshOutputDir(): () => void {
  const dir = mkdtempSync(join(tmpdir(), "ragline-export-"));
  outputDir = dir;
  return () => rmSync(dir, { recursive: true, force: true });
}

export const texts = ["alpha beta", "gamma", "alpha beta", 'δ — a longer text, with "quotes" and\nlines'];
export const metadata = texts.map((_, i) => ({ chunk_id: `c-${i}`, section_path: ["A", `B${i}`], score: i / 3 }));
const idOf = pointIds("docs");
export const ids = texts.map((text) => idOf(text));
export const primary = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1) / 3);
export const companion = Float32Array.from({ length: 8 }, (_, i) => Math.cos(i));
export const splade = [
  [
    [1, 5],
    [0.5, 0.25],
  ],
  [[7], [1.5]],
  [[], []],
  [
    [0, 2, 30521],
    [0.1, 0.2, 0.3],
  ],
] as const;
export const bm25 = [
  [[900], [1]],
  [[], []],
  [[900], [1]],
  [[4294967295], [2]],
] as const;

export const block = (rows: readonly (readonly [readonly number[], readonly number[]])[]): SparseBlock =>
  packSparse(
    0,
    rows.map(([indices, values]) => ({ indices: Uint32Array.from(indices), values: Float32Array.from(values) })),
  );

export function sparseKind(space: string, rows: typeof splade | typeof bm25, tokens: string[] = []): Kind {
  const { rowLengths, indices, values } = block(rows);
  return {
    case: "sparse",
    value: {
      space,
      firstIndex: 0n,
      rowLengths: Array.from(rowLengths),
      indices: Array.from(indices),
      values: Array.from(values),
      tokens,
    },
  };
}

export function denseKind(space: string, values: Float32Array, rows: number, firstIndex = 0): Kind {
  return { case: "dense", value: { space, firstIndex: BigInt(firstIndex), rows, values: toFloat32Bytes(values) } };
}

type Open = Exclude<Extract<Kind, { case: "open" }>["value"], { $typeName: string }>;

/** What differs from the usual run. */
export interface Options {
  readonly sparse?: boolean;
  readonly rerank?: boolean;
  readonly open?: Partial<Open>;
}

/** The messages of a whole export, up to and with finish. */
export function content({ sparse = true, rerank = true, open = {} }: Options = {}): Kind[] {
  const kinds: Kind[] = [
    {
      case: "open",
      value: {
        outputDir,
        collection: "docs",
        dense: [
          { name: "bge", dimension: 3, huggingFaceId: "BAAI/bge" },
          { name: "mini", dimension: 2, huggingFaceId: "s/mini" },
        ],
        sparse: sparse
          ? [
              { name: "splade", inverseDocumentFrequency: false, huggingFaceId: "s" },
              { name: "bm25", inverseDocumentFrequency: true, huggingFaceId: "b" },
            ]
          : [],
        chunkCount: 4n,
        rerank,
        ...open,
      },
    },
    {
      case: "chunks",
      value: {
        chunks: texts
          .slice(0, 3)
          .map((text, i) => ({ id: ids[i] ?? "", text, metadataJson: JSON.stringify(metadata[i]) })),
      },
    },
    {
      case: "chunks",
      value: {
        chunks: [{ id: ids[3] ?? "", text: texts[3] ?? "", metadataJson: JSON.stringify(metadata[3], null, 2) }],
      },
    },
    denseKind("bge", primary.subarray(0, 9), 3),
    denseKind("bge", primary.subarray(9), 1, 3),
    denseKind("mini", companion, 4),
  ];
  if (sparse) kinds.push(sparseKind("splade", splade, ["a", "b", "c", "d", "e", "f"]), sparseKind("bm25", bm25));
  if (rerank) kinds.push({ case: "rerank", value: { linesJson: ['{"query":"q1",\n"scores":[1]}', '{"query":"q2"}'] } });
  kinds.push({ case: "finish", value: {} });
  return kinds;
}

export const manifestOf = (files: Files, more: object = {}) =>
  JSON.stringify({
    schema_version: "v4.1",
    collection: "docs",
    chunk_count: 4,
    outputs: files.map(({ name, bytes, sha256 }) => ({ name, bytes: Number(bytes), sha256 })),
    ...more,
  });

/** Sends the messages, answers the staged files with a manifest, and returns both. */
export async function send(
  kinds: readonly Kind[],
  manifest: (files: Files) => string = manifestOf,
): Promise<{ files: Files; manifestPath: string }> {
  let onStaged: (files: Files) => void = () => {};
  const staged = new Promise<Files>((resolve) => {
    onStaged = resolve;
  });
  async function* requests(): AsyncGenerator<Request> {
    for (const kind of kinds) yield { kind };
    if (kinds.at(-1)?.case === "finish") yield { kind: { case: "manifest", value: { json: manifest(await staged) } } };
  }
  let files: Files = [];
  let manifestPath = "";
  for await (const { kind } of client.export(requests())) {
    if (kind.case === "staged") onStaged((files = kind.value.files));
    if (kind.case === "committed") manifestPath = kind.value.manifestPath;
  }
  return { files, manifestPath };
}

/** Hash of a file in the output directory. */
export const sha256 = (name: string) =>
  createHash("sha256")
    .update(readFileSync(join(outputDir, name)))
    .digest("hex");

/** All items of a stream. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
