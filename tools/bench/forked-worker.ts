import { type ChildProcess, fork } from "node:child_process";
import { fromRoot } from "./run-benchmark.js";

/** What a worker script sends for each message, in their order: a result, or why there is none. */
export type WorkerReply<Result> = { readonly result: Result } | { readonly failure: string };

/** A process that answers messages one after the other. */
export class ForkedWorker<Message extends object, Result> {
  readonly #child: ChildProcess;
  readonly #pending: { resolve: (result: Result) => void; reject: (error: Error) => void }[] = [];

  /** @param script its name in this folder, without extension. */
  constructor(script: string) {
    this.#child = fork(fromRoot(`tools/dist/bench/${script}.js`), { serialization: "advanced", execArgv: [] });
    this.#child.on("message", (reply: WorkerReply<Result>) => {
      const pending = this.#pending.shift();
      if ("result" in reply) pending?.resolve(reply.result);
      else pending?.reject(new Error(`${script} failed: ${reply.failure}`));
    });
    this.#child.on("exit", () => {
      for (const { reject } of this.#pending.splice(0)) reject(new Error(`a process of ${script} died`));
    });
  }

  /**
   * Sends a message and waits for its answer; messages may be sent ahead.
   * @throws Error when the worker fails or dies.
   */
  request(message: Message): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      this.#child.send(message);
    });
  }

  /** Ends the process. */
  close(): void {
    this.#child.kill("SIGKILL");
  }
}

/** The body of a worker script: answers each message of the parent, and ends with it. */
export function answerMessages<Message, Result>(answer: (message: Message) => Promise<Result>): void {
  let turn: Promise<unknown> = Promise.resolve();
  process.on("message", (message: Message) => {
    turn = turn
      .then(() => answer(message))
      .then(
        (result): WorkerReply<Result> => ({ result }),
        (error: unknown): WorkerReply<Result> => ({ failure: String(error) }),
      )
      .then((reply) => process.send?.(reply));
  });
  process.on("disconnect", () => process.exit(0));
}
