import { ArtifactError } from "./artifact-error.js";

/** Name of the manifest, whatever the prefix. */
export const MANIFEST_NAME = "processing_summary.json";

/** Names of a run's files, relative to its output directory. */
export interface ArtifactNames {
  /** float32 matrix of the primary dense model. */
  readonly embeddings: string;
  /** float32 matrix of a further dense model. */
  companionEmbeddings(model: string): string;
  /** FAISS IndexFlatIP or IndexHNSWFlat over the primary dense model. */
  readonly index: string;
  /** FAISS IndexIDMap2 over the primary dense model. */
  readonly indexIds: string;
  /** JSON array with each chunk's metadata. */
  readonly metadata: string;
  /** JSON array with each chunk's text. */
  readonly texts: string;
  /** JSON object of figures about the chunks and the dense vectors. */
  readonly stats: string;
  /** One Qdrant point per line. */
  readonly qdrant: string;
  /** One chunk's sparse vectors per line. */
  readonly sparse: string;
  /** One query's fused candidates per line. */
  readonly fused: string;
  /** One reranked query per line. */
  readonly rerank: string;
  /** What a search keeps beside the run; no artifact, made anew when it is missing. */
  readonly searchIndex: string;
}

/** The files' names for a prefix, by default the collection's name. */
export function artifactNames(prefix: string): ArtifactNames {
  return {
    embeddings: `${prefix}_embeddings.npy`,
    companionEmbeddings: (model) => `${prefix}_${model}_embeddings.npy`,
    index: `${prefix}_index.faiss`,
    indexIds: `${prefix}_index_ids.faiss`,
    metadata: `${prefix}_metadata.json`,
    texts: `${prefix}_texts.json`,
    stats: `${prefix}_stats.json`,
    qdrant: `${prefix}_qdrant.jsonl`,
    sparse: `${prefix}_sparse.jsonl`,
    fused: `${prefix}_fused.jsonl`,
    rerank: `${prefix}_rerank.jsonl`,
    searchIndex: `${prefix}_search.idx`,
  };
}

// Path separators of any system, characters that Windows forbids, and control characters.
const unsafe = /[/\\:*?"<>|\p{Cc}]/u;

/**
 * Refuses a name that cannot be part of a file name on every system.
 * @param what what the name is of, for the message, such as "export prefix".
 * @throws ArtifactError INVALID_ARGUMENT.
 */
export function assertSafeName(name: string, what: string): void {
  const problem =
    name.trim() === ""
      ? "is empty"
      : unsafe.test(name)
        ? "has a path separator or a character that file names cannot have"
        : name.startsWith(".")
          ? "starts with a dot"
          : Buffer.byteLength(name) > 150
            ? "is longer than 150 bytes"
            : undefined;
  if (problem === undefined) return;
  throw new ArtifactError(
    "INVALID_ARGUMENT",
    `The ${what} ${JSON.stringify(name)} ${problem}. Use letters, digits, spaces, "-", "_" and ".".`,
  );
}
