import { calibrateMemory } from "./calibrate-memory.js";
import type { MemoryModel } from "./memory-model.js";
import type { ModelSession } from "./model-session.js";
import type { WorkerGroup } from "./worker-group.js";

/** Measures what a worker of a group needs, by some calls of growing length before any text comes. */
export function calibrateSession(session: ModelSession, group: WorkerGroup, maxTokens: number): Promise<MemoryModel> {
  const peakBytes = () => Math.max(0, ...[...group.workers].map(({ memory }) => memory.peakBytes));
  return calibrateMemory(
    async (call) => {
      await session.probe(call);
      return { peakBytes: peakBytes() };
    },
    { loadedBytes: peakBytes(), maxTokens },
  );
}
