/** A chunk as text, ready to be written: making it costs the thread that chunks, not the one that writes. */
export interface SerializedChunk {
  readonly text: string;
  /** The metadata as one JSON object. */
  readonly metadataJson: string;
  /** The record's scores as one JSON object. */
  readonly scoresJson: string;
  readonly chunkId: string;
  readonly contentId: string;
  /** The sections that it has parts of, the one that holds it first, each as the titles down to it; none make the root. */
  readonly sections: readonly (readonly string[])[];
}

/** The chunk as a record of a chunk file. */
export function recordJson({ text, metadataJson, scoresJson }: SerializedChunk): string {
  return `{"text":${JSON.stringify(text)},"metadata":${metadataJson},"advanced_scores":${scoresJson}}`;
}
