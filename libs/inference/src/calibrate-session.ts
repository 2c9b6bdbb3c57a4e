import { type CalibrationOptions, calibrateMemory } from "./calibrate-memory.js";
import type { MemoryModel } from "./memory-model.js";
import type { ModelSession } from "./model-session.js";
import type { WorkerGroup } from "./worker-group.js";

/** How {@link calibrateSession} measures. */
export interface CalibrateSessionOptions extends Omit<CalibrationOptions, "loadedBytes"> {
  /** The highest memory of the group's largest worker so far, in bytes. @default what the workers say of themselves */
  readonly peakBytes?: () => Promise<number>;
}

/** Measures what a worker of a group needs, by some calls of growing length before any text comes. */
export async function calibrateSession(
  session: ModelSession,
  group: WorkerGroup,
  { peakBytes = async () => saidPeak(group), ...options }: CalibrateSessionOptions,
): Promise<MemoryModel> {
  return calibrateMemory(
    async (call) => {
      await session.probe(call);
      return { peakBytes: await peakBytes() };
    },
    { loadedBytes: await peakBytes(), ...options },
  );
}

const saidPeak = ({ workers }: WorkerGroup): number =>
  Math.max(0, ...[...workers].map(({ memory }) => memory.peakBytes));
