import type { Gpu } from "./nvidia-smi.js";

/**
 * The GPUs that a CUDA program sees, in its order: `CUDA_VISIBLE_DEVICES` is a list of numbers and of UUIDs, or of their
 * beginnings where only one GPU has it; the first entry that names none, or one again, ends the list
 * (CUDA C++ programming guide, "CUDA Environment Variables").
 *
 * @param visible the variable; undefined when it is not set: all are seen. Empty: none is.
 */
export function visibleGpus<Each extends Pick<Gpu, "index" | "uuid">>(
  gpus: readonly Each[],
  visible: string | undefined,
): Each[] {
  const all = [...gpus].sort((a, b) => a.index - b.index);
  if (visible === undefined) return all;
  const seen: Each[] = [];
  for (const entry of visible.split(",").map((each) => each.trim())) {
    const matches = /^\d+$/.test(entry)
      ? all.filter(({ index }) => index === Number(entry))
      : all.filter(({ uuid }) => entry.startsWith("GPU-") && uuid.toLowerCase().startsWith(entry.toLowerCase()));
    const [gpu, other] = matches;
    // CUDA shows none at all when one is named twice.
    if (gpu && seen.includes(gpu)) return [];
    if (!gpu || other) break;
    seen.push(gpu);
  }
  return seen;
}
