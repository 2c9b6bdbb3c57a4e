import { appendFileSync, readFileSync } from "node:fs";
import { InferenceSession } from "onnxruntime-node";

// Loaded into worker processes before their own code (NODE_OPTIONS=--import=…): they die when the test says so.

/** When a worker process kills itself. */
export interface WorkerFaults {
  /** A call of the model that has this token. */
  readonly deadlyToken?: number;
  /** How many of the first starts die before their session is open. */
  readonly deadlyStarts?: number;
  /** A file that counts the starts, a byte each. */
  readonly startsFile: string;
}

type Create = (path: string, options?: InferenceSession.SessionOptions) => Promise<InferenceSession>;

const { deadlyToken, deadlyStarts = 0, startsFile } = JSON.parse(process.env["WORKER_FAULTS"] ?? "{}") as WorkerFaults;
const die = () => process.kill(process.pid, "SIGKILL");

const create: Create = InferenceSession.create.bind(InferenceSession);
const createFaulty: Create = async (path, options) => {
  appendFileSync(startsFile, ".");
  if (readFileSync(startsFile).length <= deadlyStarts) die();
  const session = await create(path, options);
  const run = session.run.bind(session);
  const runFaulty = (feeds: InferenceSession.FeedsType, fetches: InferenceSession.FetchesType) => {
    const ids = feeds["input_ids"]?.data as BigInt64Array;
    if (deadlyToken !== undefined && ids.includes(BigInt(deadlyToken))) die();
    return run(feeds, fetches);
  };
  return Object.assign(session, { run: runFaulty });
};
Object.assign(InferenceSession, { create: createFaulty });
