import {
  type JsonBytes,
  type PayloadContext,
  pointPayload,
  type RunStats,
  type StagedFile,
  writeFrames,
} from "@ragline/artifacts";
import { inputError } from "./export-plan.js";
import { parseObject } from "./parse-object.js";

/** A chunk to export. */
export interface ExportedChunk {
  /** UUID of the point. */
  readonly id: string;
  readonly text: string;
  /** One JSON object. */
  readonly metadataJson: string;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Takes the chunks in order: texts and metadata go to their files, ids and payloads to a spool for the points' file. */
export class ChunkFiles {
  count = 0;
  readonly #json: JsonBytes;
  readonly #texts: StagedFile;
  readonly #metadata: StagedFile;
  readonly #spool: StagedFile;
  readonly #context: PayloadContext;
  #characters = 0;
  #shortest = Number.POSITIVE_INFINITY;
  #longest = 0;

  constructor(
    json: JsonBytes,
    files: { texts: StagedFile; metadata: StagedFile; spool: StagedFile },
    context: PayloadContext,
  ) {
    this.#json = json;
    this.#texts = files.texts;
    this.#metadata = files.metadata;
    this.#spool = files.spool;
    this.#context = context;
  }

  /** Takes the next chunk. Throws ArtifactError INVALID_ARGUMENT when its id or metadata is malformed. */
  async add(chunk: ExportedChunk): Promise<void> {
    if (!uuid.test(chunk.id))
      throw inputError(`Chunk ${this.count} has the id ${JSON.stringify(chunk.id)}, which is not a UUID.`);
    const metadata = parseObject(chunk.metadataJson);
    if (!metadata) throw inputError(`The metadata of chunk ${this.count} is not a JSON object.`);
    const lead = this.count === 0 ? "[\n" : ",\n";
    await this.#texts.write(this.#json.clear().text(lead).value(chunk.text).bytes);
    await this.#metadata.write(this.#json.clear().text(lead).value(metadata).bytes);
    const payload = pointPayload(metadata, chunk.text, this.#context);
    await writeFrames(this.#spool, [Buffer.from(chunk.id), this.#json.clear().value(payload).bytes]);
    const characters = Number(payload["full_text_length"]);
    this.#characters += characters;
    this.#shortest = Math.min(this.#shortest, characters);
    this.#longest = Math.max(this.#longest, characters);
    this.count++;
  }

  /** Ends the JSON lists. There must be at least one chunk. */
  async end(): Promise<void> {
    const end = Buffer.from("\n]\n");
    await this.#texts.write(end);
    await this.#metadata.write(end);
  }

  get textCharacters(): RunStats["text_characters"] {
    return { total: this.#characters, min: this.#shortest, max: this.#longest, mean: this.#characters / this.count };
  }
}
