import { type FileHandle, open } from "node:fs/promises";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

/**
 * Messages of one kind in a file, appended in order and read back from any position. What a stage streams lands here,
 * so memory holds one message and one file offset per message, whatever the size of the corpus.
 */
export class MessageSpool<Schema extends DescMessage> {
  readonly #schema: Schema;
  readonly #file: FileHandle;
  readonly #ends: number[] = [];

  private constructor(schema: Schema, file: FileHandle) {
    this.#schema = schema;
    this.#file = file;
  }

  /** Makes an empty spool; a file that exists is overwritten. */
  static async create<Schema extends DescMessage>(path: string, schema: Schema): Promise<MessageSpool<Schema>> {
    return new MessageSpool(schema, await open(path, "w+"));
  }

  /** How many messages it holds. */
  get count(): number {
    return this.#ends.length;
  }

  /** Adds a message at the end. Calls must not overlap. */
  async append(message: MessageInitShape<Schema>): Promise<void> {
    const bytes = toBinary(this.#schema, create(this.#schema, message));
    const start = this.#ends.at(-1) ?? 0;
    for (let written = 0; written < bytes.length; ) {
      written += (await this.#file.write(bytes, written, bytes.length - written, start + written)).bytesWritten;
    }
    this.#ends.push(start + bytes.length);
  }

  /**
   * The message at a position, from 0.
   * @throws RangeError past the end.
   */
  async at(position: number): Promise<MessageShape<Schema>> {
    const end = this.#ends[position];
    if (end === undefined) throw new RangeError(`the spool has ${this.count} messages, none at ${position}`);
    const start = this.#ends[position - 1] ?? 0;
    const bytes = new Uint8Array(end - start);
    for (let read = 0; read < bytes.length; ) {
      const { bytesRead } = await this.#file.read(bytes, read, bytes.length - read, start + read);
      if (bytesRead === 0) throw new Error("the spool file was cut off while the run went on");
      read += bytesRead;
    }
    return fromBinary(this.#schema, bytes);
  }

  /** All messages in order. */
  async *read(): AsyncGenerator<MessageShape<Schema>> {
    for (let position = 0; position < this.count; position++) yield await this.at(position);
  }

  /** Closes the file. */
  close(): Promise<void> {
    return this.#file.close();
  }
}
