import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "@ragline/artifacts";
import { FieldIndexBuilder } from "./field-index.js";
import { type Postings, PostingsBuilder } from "./inverted-index.js";
import type { SectionArray } from "./section-file.js";

/** Raised whenever the sections or what is in them change. */
const formatVersion = 1;

/** What the head of an index tells. */
export interface IndexMeta {
  readonly version: number;
  /** What the index was made from. */
  readonly sources: Readonly<Record<string, string>>;
  readonly littleEndian: boolean;
  readonly rowCount: number;
  readonly sparse: readonly string[];
  readonly fields: readonly string[];
  readonly dropped: readonly string[];
}

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The section with the distinct values of all fields, as JSON. */
export const everyField = "fields";

/** Whether an index is one of this version and machine, made from these sources. */
export function isIndexOf(meta: IndexMeta, sources: IndexMeta["sources"]): boolean {
  return (
    meta.version === formatVersion &&
    meta.littleEndian === hostIsLittleEndian &&
    JSON.stringify(meta.sources) === JSON.stringify(sources)
  );
}

/** What an index is bound to: the hash that the manifest has of a file, and size and time of the file that is there. */
export async function indexSources(run: Run): Promise<Record<string, string>> {
  const names = [run.names.qdrant, ...(run.sparse.length > 0 ? [run.names.sparse] : [])];
  const sources: Record<string, string> = {};
  for (const name of names) {
    const recorded = run.manifest.outputs?.find((output) => output.name === name)?.sha256 ?? "";
    const { size, mtimeMs } = await stat(join(run.dir, name)).catch(() => ({ size: 0, mtimeMs: 0 }));
    // A copied run has other times; its hash is what tells it.
    sources[name] = recorded === "" ? `${size} ${mtimeMs}` : `${size} ${recorded}`;
  }
  return sources;
}

/** Makes the sections of an index, in one pass over each of the two files of the run. */
export async function buildIndex(
  run: Run,
  sources: IndexMeta["sources"],
): Promise<{ meta: IndexMeta; sections: Record<string, SectionArray> }> {
  const builders = run.sparse.map(() => new PostingsBuilder());
  const none = { indices: [], values: [] };
  if (builders.length > 0) {
    for await (const vectors of run.readSparseRows())
      run.sparse.forEach((model, i) => {
        const { indices, values } = vectors[model] ?? none;
        builders[i]?.add(indices, values);
      });
  }
  const fields = new FieldIndexBuilder();
  const offsets: number[] = [0];
  for await (const { metadata, endOffset } of run.readMetadata()) {
    fields.add(metadata);
    offsets.push(endOffset);
  }
  const sections: Record<string, SectionArray> = { offsets: Float64Array.from(offsets) };
  builders.forEach((builder, i) => {
    const { terms, starts, rows, values }: Postings = builder.build();
    Object.assign(sections, {
      [`sparse${i}.terms`]: terms,
      [`sparse${i}.starts`]: starts,
      [`sparse${i}.rows`]: rows,
      [`sparse${i}.values`]: values,
    });
  });
  const { columns, dropped } = fields.build();
  columns.forEach(({ starts, rows }, i) => {
    Object.assign(sections, { [`field${i}.starts`]: starts, [`field${i}.rows`]: rows });
  });
  sections[everyField] = new Uint8Array(Buffer.from(JSON.stringify(columns.map(({ values }) => values))));
  const meta: IndexMeta = {
    version: formatVersion,
    sources,
    littleEndian: hostIsLittleEndian,
    rowCount: offsets.length - 1,
    sparse: run.sparse,
    fields: columns.map(({ key }) => key),
    dropped,
  };
  return { meta, sections };
}
