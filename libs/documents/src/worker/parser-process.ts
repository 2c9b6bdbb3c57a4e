import { type ChildProcess, fork } from "node:child_process";
import { DocumentError } from "../document-error.js";
import type { SourceDocument } from "../source-document.js";
import type { ParserJob, ParserReply } from "./parser-protocol.js";

const parserMain = new URL("../../dist/worker/parser-main.js", import.meta.url);
const mebibyte = 1024 * 1024;

/** What a process may use for a file before it is ended. */
export interface ParserLimits {
  /** Milliseconds for one file. */
  readonly timeoutMs: number;
  /** Resident bytes of the process. */
  readonly memoryBytes: number;
}

/** A process that parses one file after another, within limits. Once `isUsable` is false, another must take its place. */
export class ParserProcess {
  readonly #child: ChildProcess;
  readonly #limits: ParserLimits;
  readonly #ready: Promise<void>;
  #isUsable = true;
  #isEnded = false;

  constructor(limits: ParserLimits) {
    this.#limits = limits;
    const heapMegabytes = Math.max(64, Math.floor(limits.memoryBytes / mebibyte));
    this.#child = fork(parserMain, [String(limits.memoryBytes)], {
      serialization: "advanced",
      // Parsers print warnings of their own; what matters of them is in the reply.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: [`--max-old-space-size=${heapMegabytes}`],
    });
    // Starting takes long on a busy machine and is no fault of the file, so its time starts behind it. A child that never
    // comes up ends, and the job that is sent then finds out.
    this.#ready = new Promise((resolve) => {
      this.#child.once("message", () => resolve());
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
    this.#child.on("error", () => this.end());
    this.#child.on("exit", () => {
      this.#isUsable = false;
    });
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** @throws DocumentError; the signal's reason when aborted. */
  async parse(job: ParserJob, signal?: AbortSignal): Promise<SourceDocument> {
    await this.#ready;
    signal?.throwIfAborted();
    const reply = await this.#ask(job, signal);
    // What a large file took is not given back, and would count against the next.
    if (reply.residentBytes > this.#limits.memoryBytes / 2) this.end();
    if ("document" in reply) return reply.document;
    throw new DocumentError(reply.reason, reply.message);
  }

  end(): void {
    this.#isUsable = false;
    this.#isEnded = true;
    this.#child.kill("SIGKILL");
  }

  #ask(job: ParserJob, signal: AbortSignal | undefined): Promise<ParserReply> {
    const child = this.#child;
    const { timeoutMs, memoryBytes } = this.#limits;
    return new Promise<ParserReply>((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        child.off("message", onMessage).off("exit", onExit);
        signal?.removeEventListener("abort", onAbort);
        act();
      };
      const fail = (error: unknown) => settle(() => reject(error));
      const onMessage = (reply: ParserReply) => settle(() => resolve(reply));
      const onExit = (code: number | null, killedBy: NodeJS.Signals | null) => {
        const { path } = job;
        fail(this.#isEnded ? closed(path) : lost(path, code, killedBy, memoryBytes));
      };
      const onAbort = () => {
        this.end();
        fail(signal?.reason);
      };
      const timer = setTimeout(() => {
        this.end();
        const limit = `${timeoutMs / 1000} s`;
        fail(
          new DocumentError(
            "timeout",
            `${job.path} was not parsed within ${limit}; split it, or raise the limit (--file-timeout)`,
          ),
        );
      }, timeoutMs);
      child.on("message", onMessage).on("exit", onExit);
      signal?.addEventListener("abort", onAbort, { once: true });
      if (!this.#isUsable) {
        onExit(child.exitCode, child.signalCode);
        return;
      }
      // A child that is gone closes the channel under this message; its end tells the rest.
      child.send(job, () => undefined);
    });
  }
}

function closed(path: string): DocumentError {
  return new DocumentError("crashed", `${path} was not parsed: its reader was closed before`);
}

/** V8 aborts the process when its heap is full, the watchdog and the system kill it. */
function lost(path: string, code: number | null, signal: NodeJS.Signals | null, memoryBytes: number): DocumentError {
  const isMemory = signal === "SIGKILL" || signal === "SIGABRT" || code === 134;
  if (!isMemory)
    return new DocumentError(
      "crashed",
      `${path} ended its parser (${signal ?? `exit code ${code}`}); check that the file is whole`,
    );
  const limit = `${Math.round(memoryBytes / mebibyte)} MiB`;
  return new DocumentError(
    "out_of_memory",
    `${path} needs more than ${limit} of memory to be parsed; check that it is what its name says, or split it`,
  );
}
