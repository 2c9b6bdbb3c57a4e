import { RaglineError } from "@ragline/rpc";
import { readModelStream, type StageReply } from "./model-stream.js";

/** The results that a stage's replies carry. */
type ResultOf<Reply extends StageReply> =
  Extract<Reply["kind"], { case: "vectors" | "scores" }> extends { value: infer Result } ? Result : never;

interface Waiter<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A model that stays open on a stage's stream, so that one question after the other costs its computing alone. Answers come
 * in the order of the questions. Close it to give its device back.
 */
export class OpenModel<Message, Reply extends StageReply> {
  readonly #messages: Message[] = [];
  readonly #waiters: Waiter<ResultOf<Reply>>[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #failure: unknown;
  readonly #reading: Promise<void>;

  /**
   * @param opening first message of the stream.
   * @param call starts the stream.
   */
  constructor(opening: Message, call: (messages: AsyncIterable<Message>) => AsyncIterable<Reply>) {
    this.#messages.push(opening);
    this.#reading = this.#read(call(this.#sent()));
  }

  /** Whether the stream has ended before it was closed; open the model anew then. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Sends a message that has one answer.
   * @throws RaglineError of the stage, or when the stream has ended.
   */
  ask(message: Message): Promise<ResultOf<Reply>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#messages.push(message);
      this.#wake?.();
    });
  }

  /** Ends the stream and waits for its end; failures have been told to those who asked. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#reading;
  }

  async *#sent(): AsyncGenerator<Message, void, undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#closed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  async #read(replies: AsyncIterable<Reply>): Promise<void> {
    try {
      await readModelStream<Reply>(
        replies,
        () => undefined,
        async (result) => this.#waiters.shift()?.resolve(result as ResultOf<Reply>),
      );
      this.#failure = new RaglineError("UNAVAILABLE", "STREAM_ENDED", "a stage has ended its stream; ask again");
    } catch (error) {
      this.#failure = error;
    }
    for (const { reject } of this.#waiters.splice(0)) reject(this.#failure);
  }
}
