import { env, InferenceSession, Tensor } from "onnxruntime-node";
import { applyHead } from "./output-heads.js";
import type { CallResult, ModelCall, WorkerInit, WorkerJob, WorkerReply } from "./worker-protocol.js";

// A process of its own for each session: its exit is the only sure way to give memory back, and a native crash or an
// out-of-memory kill takes it alone.

type Run = (call: ModelCall) => Promise<CallResult>;

const expectedInputs = ["input_ids", "attention_mask", "token_type_ids"];

function send(reply: WorkerReply): void {
  process.send?.(reply);
}

function inputTensors(call: ModelCall): Record<string, Tensor> {
  const { rows, columns, ids, lengths, secondTypeFrom } = call;
  const tokens = new BigInt64Array(rows * columns);
  const mask = new BigInt64Array(rows * columns);
  const types = new BigInt64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const end = start + (lengths[row] ?? 0);
    for (let i = start; i < end; i++) tokens[i] = BigInt(ids[i] ?? 0);
    mask.fill(1n, start, end);
    if (secondTypeFrom) types.fill(1n, start + (secondTypeFrom[row] ?? 0), end);
  }
  const shape = [rows, columns];
  return {
    input_ids: new Tensor("int64", tokens, shape),
    attention_mask: new Tensor("int64", mask, shape),
    token_type_ids: new Tensor("int64", types, shape),
  };
}

async function openSession(init: WorkerInit): Promise<Run> {
  const session = await InferenceSession.create(init.graphPath, {
    intraOpNumThreads: init.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const missing = expectedInputs.filter((name) => !session.inputNames.includes(name));
  if (missing.length > 0 || !session.outputNames.includes(init.output)) {
    throw new Error(
      `${init.graphPath} has inputs ${session.inputNames.join(", ")} and outputs ${session.outputNames.join(", ")}; ` +
        `expected inputs ${expectedInputs.join(", ")} and output ${init.output}`,
    );
  }
  return async (call) => {
    const outputs = await session.run(inputTensors(call), [init.output]);
    const output = outputs[init.output]?.data;
    if (!(output instanceof Float32Array)) throw new Error(`${init.graphPath}: output ${init.output} is not float32`);
    return applyHead(init.head, output, call);
  };
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

let run: Run | undefined;
// Jobs are answered one after the other, in the order of their arrival.
let turn: Promise<void> = Promise.resolve();

async function answer(message: WorkerInit | WorkerJob): Promise<void> {
  if (message.type === "init") {
    try {
      run = await openSession(message);
      const runtime = `onnxruntime-node ${env.versions.node ?? "of unknown version"}`;
      send({ type: "ready", runtime, residentBytes: process.memoryUsage.rss() });
    } catch (error) {
      send({ type: "refused", message: describe(error) });
    }
    return;
  }
  try {
    if (!run) throw new Error("the worker was given work before its session was open");
    const results: CallResult[] = [];
    for (const call of message.calls) results.push(await run(call));
    send({ type: "done", id: message.id, results, residentBytes: process.memoryUsage.rss() });
  } catch (error) {
    send({ type: "failed", id: message.id, message: describe(error) });
  }
}

process.on("message", (message: WorkerInit | WorkerJob) => {
  turn = turn.then(() => answer(message));
});
// The pool is gone, by whatever way: so is the reason to compute.
process.on("disconnect", () => process.exit(0));
// Ctrl-C and a service manager's stop reach the whole group; while the service drains, only the pool decides.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
