import {
  DocumentError,
  type DocumentErrorReason,
  DocumentReader,
  type DocumentReaderOptions,
  findDocuments,
} from "@ragline/documents";
import { Chunker } from "./chunk-document.js";
import type { ScoredChunk } from "./chunk-metadata.js";
import type { ChunkDocumentOptions } from "./chunk-options.js";
import type { Ledger } from "./ledger.js";

/** What `chunkInputs` tells: a document's chunks in order, then the document itself; or a file that was passed over. */
export type ChunkEvent =
  | { readonly type: "chunk"; readonly chunk: ScoredChunk }
  | {
      readonly type: "document";
      readonly path: string;
      readonly relativePath: string;
      /** How many chunk events came before. */
      readonly chunks: number;
      /** Of the file's bytes, in hex. */
      readonly sha256: string;
      /** Where every byte of it went. */
      readonly ledger: Ledger;
    }
  | { readonly type: "skipped"; readonly path: string; readonly reason: DocumentErrorReason; readonly message: string };

export interface ChunkInputsOptions extends ChunkDocumentOptions, DocumentReaderOptions {
  /** Stops between documents and chunks. @default none */
  signal?: AbortSignal;
}

/**
 * Finds, reads and chunks documents one after another; only one document is in memory at a time. A file that cannot
 * be read is a `skipped` event and the others go on.
 * @throws DocumentError when an input itself is missing or of a kind that cannot be read; the signal's reason when aborted.
 */
export async function* chunkInputs(inputs: readonly string[], options: ChunkInputsOptions): AsyncGenerator<ChunkEvent> {
  const chunker = new Chunker(options);
  const { documents, skipped } = await findDocuments(inputs);
  for (const { path, reason, message } of skipped) yield { type: "skipped", path, reason, message };
  const reader = new DocumentReader(options);
  try {
    for (const found of documents) {
      options.signal?.throwIfAborted();
      const { path, relativePath } = found;
      try {
        const document = await reader.read(found);
        const { chunks, ledger } = chunker.chunk(document);
        for (const chunk of chunks) {
          options.signal?.throwIfAborted();
          yield { type: "chunk", chunk };
        }
        yield { type: "document", path, relativePath, chunks: chunks.length, sha256: document.sha256, ledger };
      } catch (error) {
        if (!(error instanceof DocumentError)) throw error;
        yield { type: "skipped", path, reason: error.reason, message: error.message };
      }
    }
  } finally {
    reader.close();
  }
}
