import { z } from "zod";

const fileSchema = z.object({
  /** Name below the model's folder. */
  name: z.string(),
  bytes: z.int().positive(),
  /** Lowercase hexadecimal; a file that hashes to anything else is refused. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const graphSchema = z.object({
  /** The ONNX file; its external data lies beside it. */
  graph: fileSchema,
  externalData: z.array(fileSchema),
});

/** One model of the registry, as data: everything that code needs to know of it. */
export const modelEntrySchema = z.object({
  /** Registry key, also the name of its vectors in every artifact. */
  key: z.string(),
  huggingFaceId: z.string(),
  /** Other names that users know it by; matched without regard to case, as is the Hugging Face id. */
  aliases: z.array(z.string()).default([]),
  stage: z.enum(["dense", "sparse", "rerank"]),
  /** How a text becomes a result: a pooled encoder, SPLADE, word statistics, or a scored pair. */
  loader: z.enum(["encoder", "splade", "bm25", "cross_encoder"]),
  /** Columns of a dense vector, size of a sparse vocabulary (2^31 for hashed words), 1 for a score. */
  dimension: z.int().positive(),
  /** Most tokens that the model reads, specials and prefix included. */
  maxTokens: z.int().positive(),
  /** Dense alone: how token vectors become one. */
  pooling: z.enum(["cls", "mean"]).optional(),
  /** What is put before a text, by what the text is. */
  prefixes: z.object({ query: z.string(), passage: z.string() }).default({ query: "", passage: "" }),
  /** Output of the graph that is read. */
  output: z.string().optional(),
  /** Folder of the files below the models directory. */
  folder: z.string().optional(),
  tokenizer: fileSchema.optional(),
  graphs: z.object({ fp32: graphSchema, int8: graphSchema }).optional(),
  /** SPDX identifier. */
  license: z.string(),
});

/** One model of the registry. */
export type ModelEntry = z.output<typeof modelEntrySchema>;

/** An entry that runs an ONNX graph, with everything that this needs. */
export type GraphModelEntry = ModelEntry & {
  [Field in "output" | "folder" | "tokenizer" | "graphs"]: NonNullable<ModelEntry[Field]>;
};

/** A file of a model with its expected size and hash. */
export type ModelFileSpec = z.output<typeof fileSchema>;

/** Whether the entry runs an ONNX graph; word statistics need none. */
export function hasGraph(entry: ModelEntry): entry is GraphModelEntry {
  return (
    entry.graphs !== undefined &&
    entry.tokenizer !== undefined &&
    entry.folder !== undefined &&
    entry.output !== undefined
  );
}
