import { once } from "node:events";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { DocumentError, DocumentReader, type FoundDocument, type SourceDocument } from "@ragline/documents";
import { TextTokenizer } from "@ragline/tokenizer";
import { Chunker } from "./chunk-document.js";
import type { ScoredChunk } from "./chunk-metadata.js";
import { semanticTurns, semanticUnits } from "./semantic-turns.js";
import type { SerializedChunk } from "./serialized-chunk.js";
import type { WorkerOptions, WorkerReply, WorkerRequest } from "./worker-protocol.js";

// A thread that reads and chunks one document after another, so that the thread that hands chunks on is never held by a
// large one. It waits after each batch until it is asked for more: what nobody takes stays here.

const batchChunks = 128;
const embedBatch = 64;

const port = parentPort as MessagePort;
const options = workerData as WorkerOptions;
const tokenizer = TextTokenizer.fromFile(options.tokenizerPath);
const chunker = new Chunker({
  ...options,
  countTokens: tokenizer.counterBehind(options.prefix ?? ""),
  separable: tokenizer.isSeparable,
  piecesOf: tokenizer.piecesOf,
});
const reader = new DocumentReader({ ...options.reading, processes: 1 });

const reply = (message: WorkerReply, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

async function nextRequest(): Promise<WorkerRequest> {
  const [request] = (await once(port, "message")) as [WorkerRequest];
  return request;
}

/** Has units embedded a batch at a time, and finds the turns between them. */
async function turnsOf(document: SourceDocument): Promise<number[]> {
  const units = semanticUnits(document);
  let all = new Float32Array();
  let width = 0;
  for (let at = 0; at < units.length; at += embedBatch) {
    reply({ type: "embed", texts: units.slice(at, at + embedBatch).map(({ text }) => text) });
    const request = await nextRequest();
    if (request.type !== "vectors") throw new Error(`vectors were asked for, not ${request.type}`);
    width = request.columns;
    if (at === 0) all = new Float32Array(units.length * width);
    all.set(request.vectors, at * width);
  }
  return semanticTurns(units, all, width);
}

function serialized({ text, metadata, advanced_scores: scores }: ScoredChunk): SerializedChunk {
  const { section_path: own, section_paths: all } = metadata as { section_path: string[]; section_paths: string[][] };
  return {
    text,
    metadataJson: JSON.stringify(metadata),
    scoresJson: JSON.stringify(scores),
    chunkId: String(metadata.chunk_id),
    contentId: String(metadata.content_id),
    sections: [own, ...all],
  };
}

async function chunk(found: FoundDocument): Promise<void> {
  try {
    const document = await reader.read(found);
    const turns = options.strategy === "semantic" ? await turnsOf(document) : [];
    const { chunks, ledger } = chunker.chunk(document, turns);
    for (let at = 0; at < chunks.length; at += batchChunks) {
      reply({ type: "chunks", chunks: chunks.slice(at, at + batchChunks).map(serialized) });
      await nextRequest();
    }
    const { sha256, encoding } = document;
    reply({ type: "done", sha256, ...(encoding !== undefined && { encoding }), ledger });
  } catch (error) {
    if (error instanceof DocumentError) reply({ type: "skipped", reason: error.reason, message: error.message });
    else reply({ type: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

for (let request = await nextRequest(); ; request = await nextRequest()) {
  if (request.type === "document") await chunk(request.document);
}
