import { execFile } from "node:child_process";

/** A GPU as the driver tells it. */
export interface Gpu {
  /** Number in the order of the PCI bus. */
  readonly index: number;
  /** Such as "GPU-8f1d…". */
  readonly uuid: string;
  readonly name: string;
  readonly totalBytes: number;
  /** In use now, by whatever process. */
  readonly usedBytes: number;
}

/** Why the GPUs cannot be told. `absent`: there is no `nvidia-smi`, so there is no driver either. */
export class NvidiaSmiError extends Error {
  override readonly name = "NvidiaSmiError";
  readonly failure: "absent" | "failed" | "timeout" | "unreadable" | "cancelled";

  constructor(failure: NvidiaSmiError["failure"], message: string, cause?: unknown) {
    super(message, { cause });
    this.failure = failure;
  }
}

/** How {@link NvidiaSmi} asks. */
export interface NvidiaSmiOptions {
  /** @default "nvidia-smi", looked for on the PATH */
  readonly command?: string;
  /** How long one question may take; it is killed then. @default 5000 */
  readonly timeoutMs?: number;
  /** How long an answer is good for. @default 250 */
  readonly maxAgeMs?: number;
}

const mebibyte = 1024 ** 2;
const maxOutputBytes = 4 * mebibyte;

/** One question that is asked of the driver by however many callers, and the answer while it is fresh. */
interface Asked<Row> {
  readonly answer: Promise<Row[]>;
  readonly stop: AbortController;
  waiting: number;
  answeredAt?: number;
}

/**
 * Asks the NVIDIA driver by `nvidia-smi`. Callers at the same time share one process, an answer is kept for a moment,
 * a process that hangs is killed, and one that nobody waits for any more as well.
 */
export class NvidiaSmi {
  readonly #command: string;
  readonly #timeoutMs: number;
  /** How long an answer is good for, in milliseconds. */
  readonly maxAgeMs: number;
  readonly #asked = new Map<string, Asked<unknown>>();

  constructor({ command = "nvidia-smi", timeoutMs = 5000, maxAgeMs = 250 }: NvidiaSmiOptions = {}) {
    this.#command = command;
    this.#timeoutMs = timeoutMs;
    this.maxAgeMs = maxAgeMs;
  }

  /**
   * All GPUs of this host, whatever `CUDA_VISIBLE_DEVICES` says.
   * @throws NvidiaSmiError
   */
  gpus(signal?: AbortSignal): Promise<Gpu[]> {
    const fields = ["index", "uuid", "name", "memory.total", "memory.used"];
    return this.#ask(`--query-gpu=${fields.join()}`, fields.length, signal, (cells) => {
      const [index, uuid = "", name = "", total, used] = cells;
      return {
        index: wholeNumber(index),
        uuid,
        name,
        totalBytes: wholeNumber(total) * mebibyte,
        usedBytes: wholeNumber(used) * mebibyte,
      };
    });
  }

  /**
   * Bytes that each process has on each GPU. Where the driver does not tell (in some containers and under WSL) a process
   * is missing.
   * @throws NvidiaSmiError
   */
  async processes(signal?: AbortSignal): Promise<{ pid: number; uuid: string; usedBytes: number }[]> {
    const rows = await this.#ask(
      "--query-compute-apps=pid,gpu_uuid,used_memory",
      3,
      signal,
      ([pid, uuid = "", used = ""]) => ({
        pid: wholeNumber(pid),
        uuid,
        usedBytes: /^\d+$/.test(used) ? Number(used) * mebibyte : Number.NaN,
      }),
    );
    return rows.filter(({ usedBytes }) => !Number.isNaN(usedBytes));
  }

  async #ask<Row>(
    query: string,
    columns: number,
    signal: AbortSignal | undefined,
    parse: (cells: string[]) => Row,
  ): Promise<Row[]> {
    const asked = this.#fresh<Row>(query) ?? this.#start(query, columns, parse);
    asked.waiting++;
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () =>
        reject(new NvidiaSmiError("cancelled", `${this.#command} is not waited for any more`, signal?.reason));
      if (signal?.aborted) leave();
      else signal?.addEventListener("abort", leave, { once: true });
    });
    try {
      return await Promise.race([asked.answer, left]);
    } finally {
      if (leave) signal?.removeEventListener("abort", leave);
      asked.waiting--;
      if (asked.waiting === 0 && asked.answeredAt === undefined) asked.stop.abort();
    }
  }

  #fresh<Row>(query: string): Asked<Row> | undefined {
    const asked = this.#asked.get(query) as Asked<Row> | undefined;
    if (!asked || asked.stop.signal.aborted) return undefined;
    const isOld = asked.answeredAt !== undefined && performance.now() - asked.answeredAt > this.maxAgeMs;
    return isOld ? undefined : asked;
  }

  #start<Row>(query: string, columns: number, parse: (cells: string[]) => Row): Asked<Row> {
    const stop = new AbortController();
    const answer = this.#run([query, "--format=csv,noheader,nounits"], stop.signal).then((text) =>
      this.#parse(text, columns, parse),
    );
    const asked: Asked<Row> = { answer, stop, waiting: 0 };
    this.#asked.set(query, asked as Asked<unknown>);
    answer.then(
      () => {
        asked.answeredAt = performance.now();
      },
      // A failure is told to those who wait, and the next caller asks again.
      () => this.#asked.get(query) === (asked as Asked<unknown>) && this.#asked.delete(query),
    );
    return asked;
  }

  #run(args: readonly string[], signal: AbortSignal): Promise<string> {
    const options = { timeout: this.#timeoutMs, killSignal: "SIGKILL", signal, maxBuffer: maxOutputBytes } as const;
    return new Promise((resolve, reject) => {
      execFile(this.#command, args, options, (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else reject(this.#explain(error, `${stderr}${stdout}`));
      });
    });
  }

  #explain(error: Error & { code?: unknown; killed?: boolean }, said: string): NvidiaSmiError {
    if (error.code === "ENOENT") return new NvidiaSmiError("absent", `there is no ${this.#command} here`, error);
    if (error.code === "ABORT_ERR")
      return new NvidiaSmiError("cancelled", `${this.#command} is not waited for any more`, error);
    if (error.killed)
      return new NvidiaSmiError("timeout", `${this.#command} did not answer within ${this.#timeoutMs} ms`, error);
    const [line = ""] = said.trim().split("\n");
    return new NvidiaSmiError("failed", `${this.#command} failed: ${line || error.message}`, error);
  }

  #parse<Row>(text: string, columns: number, parse: (cells: string[]) => Row): Row[] {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    try {
      return lines.map((line) => {
        const cells = line.split(",").map((cell) => cell.trim());
        if (cells.length !== columns) throw new RangeError(`a line has ${cells.length} cells instead of ${columns}`);
        return parse(cells);
      });
    } catch (cause) {
      throw new NvidiaSmiError(
        "unreadable",
        `${this.#command} said what cannot be read: ${(cause as Error).message}`,
        cause,
      );
    }
  }
}

function wholeNumber(cell: string | undefined): number {
  if (!/^\d+$/.test(cell ?? "")) throw new RangeError(`"${cell}" is no whole number`);
  return Number(cell);
}
