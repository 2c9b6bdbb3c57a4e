import type { JsonBytes } from "./json-bytes.js";
import { appendVectors, isEmptySparseJson, type SparseRowJson } from "./sparse-jsonl.js";

/** What of a run is the same in every point's payload. */
export interface PayloadContext {
  /** Dense models, primary first. */
  readonly dense: readonly { readonly name: string; readonly dimension: number; readonly huggingFaceId: string }[];
  /** Whether points carry a `sparse_vector` payload. */
  readonly sparse: boolean;
}

const previewCharacters = 500;

/** Keys that Ragline adds to a chunk's metadata in a point's payload. */
export const payloadKeys = [
  "text",
  "text_preview",
  "full_text_length",
  "model_info",
  "primary_vector_name",
  "dense_vector_names",
  "sparse_vector",
] as const;

/**
 * A point's payload except its sparse vector: the chunk's metadata, and Ragline's own keys, which win over metadata of the
 * same name. Lengths count characters (code points), as Python does.
 */
export function pointPayload(
  metadata: Record<string, unknown>,
  text: string,
  context: PayloadContext,
): Record<string, unknown> {
  const primary = context.dense[0];
  const { preview, length } = measure(text);
  const payload: Record<string, unknown> = {
    ...metadata,
    text,
    text_preview: preview,
    full_text_length: length,
    model_info: { name: primary?.name, hf_model_id: primary?.huggingFaceId, dimension: primary?.dimension },
    primary_vector_name: primary?.name,
    dense_vector_names: context.dense.map(({ name }) => name),
  };
  if (context.sparse) delete payload["sparse_vector"];
  return payload;
}

function measure(text: string): { preview: string; length: number } {
  let length = 0;
  let previewEnd = text.length;
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) {
    if (length === previewCharacters) previewEnd = at;
    length++;
  }
  return { preview: text.slice(0, previewEnd), length };
}

/** A point in parts. */
export interface QdrantPoint {
  readonly id: string;
  readonly dense: readonly (readonly [name: string, values: Float32Array])[];
  /** Rendered by `sparseRowJson`. An empty vector is left out: a point need not have every named vector. */
  readonly sparse: readonly (readonly [name: string, vector: Uint8Array])[];
  /** `pointPayload` as JSON. */
  readonly payload: Uint8Array;
  /** Row of the first sparse model, for the payload; undefined when the run has no sparse model. */
  readonly primarySparse: SparseRowJson | undefined;
}

/**
 * Appends one line of `<prefix>_qdrant.jsonl`: a point as Qdrant's upsert takes it,
 * `{"id","vector":{<dense>:[...],<sparse>:{indices,values}},"payload"}`.
 * @throws RangeError when a value is not finite.
 */
export function appendQdrantPoint(json: JsonBytes, point: QdrantPoint): void {
  json.text('{"id":').value(point.id).text(',"vector":{');
  for (const [i, [name, values]] of point.dense.entries()) {
    json
      .text(i === 0 ? "" : ",")
      .value(name)
      .text(":")
      .floats(values);
  }
  const sparse = point.sparse.filter(([, vector]) => !isEmptySparseJson(vector));
  if (sparse.length > 0 && point.dense.length > 0) json.text(",");
  appendVectors(json, sparse);
  json.text('},"payload":');
  const { payload, primarySparse } = point;
  if (primarySparse === undefined) json.raw(payload);
  else {
    // Inside the vector and behind its values: the words and figures that the payload keeps beside them.
    json.raw(payload.subarray(0, -1)).text(',"sparse_vector":').raw(primarySparse.vector.subarray(0, -1));
    json.text(',"tokens":').raw(primarySparse.tokens).text(',"stats":').raw(primarySparse.stats).text("}}");
  }
  json.text("}\n");
}
