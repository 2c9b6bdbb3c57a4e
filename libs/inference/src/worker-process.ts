import { type ChildProcess, fork } from "node:child_process";
import { InferenceError } from "./inference-error.js";
import type { WorkerBeat, WorkerInit, WorkerJob, WorkerMemory, WorkerReply } from "./worker-protocol.js";

const workerMain = new URL("../dist/worker-main.js", import.meta.url);

/** The environment of a worker that computes on a GPU: it sees that one alone, by its UUID. */
function cudaEnvironment(uuid: string | undefined): NodeJS.ProcessEnv {
  return {
    // onnxruntime multiplies fp32 in TF32 by default, with 10 bits of mantissa; its Node.js binding has no option for that.
    NVIDIA_TF32_OVERRIDE: "0",
    ...process.env,
    ...(uuid ? { CUDA_VISIBLE_DEVICES: uuid } : {}),
  };
}

/** Told what a worker says once it is ready. */
export type OnWorkerReply = (reply: Extract<WorkerReply, { id: number }>) => void;

/** One worker process with a session of its own. */
export class WorkerProcess {
  /** Resolves when the process has ended and all that it said was read, or when there never was one. */
  readonly gone: Promise<void>;
  /** Resolves when the session is open. Rejects with an InferenceError, or a plain error where the system gives no process. */
  readonly opened: Promise<void>;
  readonly #child: ChildProcess;
  #isReady = false;
  #runtime = "";
  #memory: WorkerMemory = { usedBytes: 0, peakBytes: 0 };

  constructor(model: string, init: Omit<WorkerInit, "type">, onReply: OnWorkerReply) {
    const { device } = init;
    const child = fork(workerMain, {
      serialization: "advanced",
      ...(device.kind === "cuda" ? { env: cudaEnvironment(device.uuid) } : {}),
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
    });
    this.#child = child;
    this.gone = new Promise((resolve) => {
      child.once("close", () => resolve());
      child.on("error", () => child.pid === undefined && resolve());
    });
    this.opened = new Promise((resolve, reject) => {
      child.on("message", (reply: WorkerReply) => {
        if (reply.type === "refused") {
          reject(new InferenceError("model_refused", `model ${model} cannot be opened: ${reply.message}`));
          return;
        }
        this.#memory = reply.memory;
        if (reply.type === "ready") {
          this.#isReady = true;
          this.#runtime = reply.runtime;
          resolve();
        } else {
          onReply(reply);
        }
      });
      child.on("error", reject);
      void this.gone.then(() => {
        const message = `worker processes of ${model} die while they open the model (last: ${this.howItEnded})`;
        reject(new InferenceError("worker_lost", message));
      });
    });
    // Told to whoever waits for it; a worker that is ended before anybody does must not count as unhandled.
    this.opened.catch(() => undefined);
    // A child that dies at once closes the channel under this message; its end tells the rest.
    child.send({ type: "init", ...init } satisfies WorkerInit, () => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether its session is open. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Name and version of what computes. */
  get runtime(): string {
    return this.#runtime;
  }

  /** Its memory as it said last. */
  get memory(): WorkerMemory {
    return this.#memory;
  }

  /** Signal or exit code of a process that has ended. */
  get howItEnded(): string {
    return this.#child.signalCode ?? `exit code ${this.#child.exitCode}`;
  }

  /** How it ended, for whoever is told of lost workers. */
  get end(): { pid: number | undefined; signal: string | null; code: number | null } {
    return { pid: this.#child.pid, signal: this.#child.signalCode, code: this.#child.exitCode };
  }

  send(job: WorkerJob): void {
    this.#child.send(job, () => undefined);
  }

  /** Tells it that its pool lives. */
  beat(): void {
    if (this.#child.connected) this.#child.send({ type: "beat" } satisfies WorkerBeat, () => undefined);
  }

  /** Ends the process at once, which gives its memory back. */
  kill(): void {
    // A child that never became a process has no pid, and a kill of pid 0 would reach this very process group.
    if (this.#child.pid !== undefined) this.#child.kill("SIGKILL");
  }
}
