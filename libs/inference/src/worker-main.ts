import { env, InferenceSession } from "onnxruntime-node";
import { checkGraphFit } from "./graph-fit.js";
import { toFloat32 } from "./half-floats.js";
import { applyHead } from "./output-heads.js";
import { residentMemory } from "./resident-memory.js";
import { withAdvice } from "./runtime-advice.js";
import { type GraphValue, inputTensors } from "./session-inputs.js";
import { parseSimulatedOptions, SimulatedDevice } from "./simulated-device.js";
import {
  beatMs,
  type CallResult,
  type ModelCall,
  type WorkerBeat,
  type WorkerInit,
  type WorkerJob,
  type WorkerMemory,
  type WorkerReply,
} from "./worker-protocol.js";

// A process of its own for each session: its exit is the only sure way to give memory back, and a native crash or an
// out-of-memory kill takes it alone.

type Run = (call: ModelCall) => Promise<CallResult>;

function send(reply: WorkerReply): void {
  process.send?.(reply);
}

/** What is called before and after each call of the model: on a simulated device its ledger, elsewhere nothing. */
interface Device {
  readonly executionProviders: InferenceSession.SessionOptions["executionProviders"];
  readonly memory: () => WorkerMemory;
  readonly guard: (call: ModelCall, compute: () => Promise<CallResult>) => Promise<CallResult>;
}

function openDevice(init: WorkerInit): Device {
  const { device } = init;
  const executionProviders = device.kind === "cuda" ? [{ name: "cuda", deviceId: 0 } as const] : (["cpu"] as const);
  // A GPU's memory is measured from outside, and the host's is none of the lease.
  const memory = device.kind === "cuda" ? () => ({ usedBytes: 0, peakBytes: 0 }) : residentMemory;
  const plain = { executionProviders: [...executionProviders], memory };
  if (device.kind !== "simulated") return { ...plain, guard: (_, compute) => compute() };
  const ledger = new SimulatedDevice({ weightsBytes: init.graphBytes, ...parseSimulatedOptions(device.options) });
  return {
    ...plain,
    memory: () => ({ usedBytes: ledger.usedBytes, peakBytes: ledger.peakBytes }),
    guard: async (call, compute) => {
      const startedAt = performance.now();
      const release = ledger.reserve(call.rows * call.columns);
      try {
        const result = await compute();
        await ledger.pace(call.rows * call.columns, startedAt);
        return result;
      } finally {
        release();
      }
    },
  };
}

// onnxruntime would make MatMulNBits of a matrix that is kept as int8, which quantises the other factor as well: vectors of
// an fp32 graph would be off by 6e-3. Without that the weights become fp32 once, when the graph is loaded.
const floatOptions = { extra: { session: { disable_quant_qdq: "1" } } };

async function openSession(init: WorkerInit, device: Device): Promise<Run> {
  const session = await InferenceSession.create(init.graphPath, {
    executionProviders: device.executionProviders ?? [],
    intraOpNumThreads: init.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    ...(init.isFloat ? floatOptions : {}),
    // A plan for each shape takes its memory in one block: on a GPU that took half as much again as without.
    ...(init.device.kind === "cuda" ? { enableMemPattern: false } : {}),
  });
  const { graph, graphPath } = init;
  const inputs = graphValues(session.inputMetadata);
  checkGraphFit(graphPath, graph, inputs, graphValues(session.outputMetadata));
  return (call) =>
    device.guard(call, async () => {
      const outputs = await session.run(inputTensors(call, graph.inputs, inputs), [graph.output]);
      return applyHead(graph.head, toFloat32(outputs[graph.output]?.data), call, graph.inputs);
    });
}

function graphValues(metadata: readonly InferenceSession.ValueMetadata[]): GraphValue[] {
  return metadata.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape }
      : { name: value.name, type: "no tensor", shape: [] },
  );
}

const describe = (error: unknown): string => withAdvice(error instanceof Error ? error.message : String(error));

let open: { run: Run; memory: () => WorkerMemory; fencingToken: number } | undefined;
// Jobs are answered one after the other, in the order of their arrival.
let turn: Promise<void> = Promise.resolve();

async function start(init: WorkerInit): Promise<void> {
  try {
    const device = openDevice(init);
    open = { run: await openSession(init, device), memory: device.memory, fencingToken: init.fencingToken };
    const runtime = `onnxruntime-node ${env.versions.node ?? "of unknown version"}`;
    send({ type: "ready", runtime, memory: device.memory() });
  } catch (error) {
    send({ type: "refused", message: describe(error) });
  }
}

// What is computed now, for the line that an unexpected end leaves in the log.
let traceparent: string | undefined;

async function answer({ id, fencingToken, calls, ...job }: WorkerJob): Promise<void> {
  const startedAt = performance.now();
  traceparent = job.traceparent;
  const memory = () => open?.memory() ?? { usedBytes: 0, peakBytes: 0 };
  try {
    if (!open) throw new Error("the worker was given work before its session was open");
    if (fencingToken < open.fencingToken) {
      throw new Error(`stale lease: token ${fencingToken} is older than ${open.fencingToken}, which the worker serves`);
    }
    const results: CallResult[] = [];
    for (const call of calls) results.push(await open.run(call));
    send({
      type: "done",
      id,
      results,
      memory: memory(),
      startedAtMs: performance.timeOrigin + startedAt,
      seconds: (performance.now() - startedAt) / 1000,
    });
  } catch (error) {
    send({ type: "failed", id, message: describe(error), memory: memory() });
  }
}

process.on("uncaughtException", (error) => {
  const [, trace_id, span_id] = traceparent?.split("-") ?? [];
  const line = {
    level: "fatal",
    time: new Date().toISOString(),
    service: "worker",
    pid: process.pid,
    trace_id,
    span_id,
  };
  process.stderr.write(`${JSON.stringify({ ...line, msg: `unexpected error in a worker: ${describe(error)}` })}\n`);
  process.exit(1);
});
// A pool that is frozen cannot tell that its lease was lost. Beats are counted instead of time, so that a machine that
// slept finds its workers alive.
const silentBeats = 15;
let silence = 0;
setInterval(() => {
  if (++silence > silentBeats) process.exit(1);
}, beatMs);

process.on("message", (message: WorkerInit | WorkerJob | WorkerBeat) => {
  silence = 0;
  if (message.type === "beat") return;
  turn = turn.then(() => (message.type === "init" ? start(message) : answer(message)));
});
// The pool is gone, by whatever way: so is the reason to compute.
process.on("disconnect", () => process.exit(0));
// Ctrl-C and a service manager's stop reach the whole group; while the service drains, only the pool decides.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
