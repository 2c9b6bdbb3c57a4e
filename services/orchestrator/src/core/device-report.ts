import { BatchResize_Cause, type DeviceUse, LeaseEvent_Kind } from "@ragline/contracts";
import type { LeaseEvent } from "@ragline/gpu-lease";
import type { CollectionResult } from "./collection-result.js";
import { concurrentPeaks } from "./concurrent-peaks.js";
import { enumName } from "./enum-name.js";
import type { ModelRun } from "./model-stream.js";

/** A model's run, and the stage that it was of. */
export interface StageRun {
  readonly stage: LeaseEvent["stage"];
  readonly run: ModelRun;
}

/** The runs of all models of a collection that computed, in order. */
export function stageRuns({ dense, sparse, rerank }: CollectionResult): StageRun[] {
  return [
    ...dense.map(({ run }) => ({ stage: "dense" as const, run })),
    ...sparse.flatMap(({ run }) => (run ? [{ stage: "sparse" as const, run }] : [])),
    ...(rerank.status === "executed" ? [{ stage: "rerank" as const, run: rerank.result.run }] : []),
  ];
}

/** What a device has seen in a collection, of all models together. */
export interface DeviceRow {
  readonly device: string;
  /** "cpu", "cuda" or "simulated". */
  readonly kind: string;
  readonly leases: number;
  /** Seconds that leases on it were waited for. */
  readonly waitSeconds: number;
  /** Largest lease. */
  readonly grantedBytes: number;
  /** Most bytes that workers used; of models side by side the sum of what each used at most. */
  readonly peakBytes: number;
  readonly capBytes: number;
  readonly softLimitBytes: number;
  /** How often workers went above the soft limit of their lease or of the device. */
  readonly softLimitCrossings: number;
  /** How often memory was measured. */
  readonly samples: number;
}

function addUp(known: DeviceRow | undefined, use: DeviceUse): DeviceRow {
  return {
    device: use.device,
    kind: use.kind,
    leases: (known?.leases ?? 0) + use.leases,
    waitSeconds: (known?.waitSeconds ?? 0) + use.waitSeconds,
    grantedBytes: Math.max(known?.grantedBytes ?? 0, Number(use.grantedBytes)),
    peakBytes: Math.max(known?.peakBytes ?? 0, Number(use.peakBytes)),
    capBytes: Math.max(known?.capBytes ?? 0, Number(use.capBytes)),
    softLimitBytes: Math.max(known?.softLimitBytes ?? 0, Number(use.softLimitBytes)),
    softLimitCrossings: (known?.softLimitCrossings ?? 0) + Number(use.softLimitCrossings),
    samples: (known?.samples ?? 0) + Number(use.samples),
  };
}

/** Every device that models computed on. */
export function deviceRows(runs: readonly StageRun[]): DeviceRow[] {
  const rows = new Map<string, DeviceRow>();
  for (const { run } of runs)
    for (const use of run.summary.devices) rows.set(use.device, addUp(rows.get(use.device), use));
  const together = concurrentPeaks(runs.flatMap(({ run }) => run.summary.leaseEvents));
  const withPeaks = [...rows.values()].map((row) => ({
    ...row,
    peakBytes: Math.max(row.peakBytes, together.get(row.device) ?? 0),
  }));
  return withPeaks.sort((a, b) => a.device.localeCompare(b.device, "en", { numeric: true }));
}

const gigabytes = (bytes: number): number => bytes / 1e9;
// What a GPU has as long as nothing else was said.
const usualSoftLimitGb = 10;
const samplingIntervalMs = { cuda: 500, simulated: 250 } as const;

/** `performance_baseline.gpu` of the manifest: the devices that are no CPU. */
export function gpuBaseline(rows: readonly DeviceRow[]): object {
  const gpus = rows.filter(({ kind }) => kind !== "cpu");
  const [first] = gpus;
  const peak = gpus.reduce((most, row) => (row.peakBytes > (most?.peakBytes ?? -1) ? row : most), first);
  const exceeded = gpus.some(({ peakBytes, softLimitBytes }) => peakBytes > softLimitBytes);
  return {
    samples: gpus.reduce((sum, { samples }) => sum + samples, 0),
    peak_memory_used_gb: gigabytes(peak?.peakBytes ?? 0),
    per_gpu: Object.fromEntries(
      gpus.map((row) => [
        row.device,
        {
          kind: row.kind,
          peak_memory_used_gb: gigabytes(row.peakBytes),
          cap_gb: gigabytes(row.capBytes),
          soft_limit_gb: gigabytes(row.softLimitBytes),
          soft_limit_exceeded: row.peakBytes > row.softLimitBytes,
          soft_limit_crossings: row.softLimitCrossings,
          leases: row.leases,
          lease_wait_seconds: row.waitSeconds,
          samples: row.samples,
        },
      ]),
    ),
    peak_device: peak?.device ?? "cpu",
    soft_limit_gb: first ? Math.min(...gpus.map(({ softLimitBytes }) => gigabytes(softLimitBytes))) : usualSoftLimitGb,
    soft_limit_exceeded: exceeded,
    status: first ? (exceeded ? "soft_limit_exceeded" : "ok") : "no_gpu",
    sampling_interval_ms: first?.kind === "cuda" ? samplingIntervalMs.cuda : samplingIntervalMs.simulated,
  };
}

/** Every device as the manifest tells it, CPUs too. */
export function deviceRecords(rows: readonly DeviceRow[]): object[] {
  return rows.map((row) => ({
    device: row.device,
    kind: row.kind,
    leases: row.leases,
    lease_wait_seconds: row.waitSeconds,
    granted_bytes: row.grantedBytes,
    peak_bytes: row.peakBytes,
    cap_bytes: row.capBytes,
    soft_limit_bytes: row.softLimitBytes,
    soft_limit_crossings: row.softLimitCrossings,
    samples: row.samples,
  }));
}

/** Changes of the token budget by model, with their causes; the latest 100 of each. */
export function resizeRecords(runs: readonly StageRun[]): object[] {
  return runs.flatMap(({ stage, run: { ready, summary } }) =>
    summary.resizes.map(({ cause, fromTokens, toTokens }) => ({
      stage,
      model: ready.model,
      cause: enumName(BatchResize_Cause, cause),
      from_tokens: fromTokens,
      to_tokens: toTokens,
    })),
  );
}

/** Memory trouble of a model, and how its calls were sized; part of its section in the manifest. */
export function memoryRecord({ summary }: ModelRun): object {
  return {
    out_of_memory: Number(summary.outOfMemory),
    batch_resizes: Number(summary.resizeCount),
    soft_limit_crossings: Number(summary.softLimitCrossings),
    leases_lost: summary.leasesLost,
    peak_memory_gb: gigabytes(Number(summary.peakBytes)),
    devices: summary.devices.map(({ device }) => device),
  };
}

const kinds: Partial<Record<LeaseEvent_Kind, LeaseEvent["kind"]>> = {
  [LeaseEvent_Kind.GRANTED]: "granted",
  [LeaseEvent_Kind.SHRINK]: "shrink",
  [LeaseEvent_Kind.SHRUNK]: "shrunk",
  [LeaseEvent_Kind.REVOKED]: "revoked",
  [LeaseEvent_Kind.RELEASED]: "released",
};

/** What happened to all leases: as our own broker saw it, and those of other brokers as their holders saw it. */
export function allLeaseEvents(runs: readonly StageRun[], ofBroker: readonly LeaseEvent[]): LeaseEvent[] {
  const known = new Set(ofBroker.map(({ leaseId }) => leaseId));
  const ofHolders = runs.flatMap(({ stage, run: { ready, summary } }) =>
    summary.leaseEvents.flatMap((event) => {
      const kind = kinds[event.kind];
      if (!kind || known.has(event.leaseId)) return [];
      const { leaseId, device, atMs, reason, waitSeconds, peakBytes } = event;
      return {
        kind,
        leaseId,
        stage,
        model: ready.model,
        device,
        bytes: Number(event.bytes),
        atMs,
        ...(kind === "granted" ? { waitMs: waitSeconds * 1000 } : {}),
        ...(kind === "released" ? { peakBytes: Number(peakBytes) } : {}),
        ...(reason === "" ? {} : { reason }),
      };
    }),
  );
  return [...ofBroker, ...ofHolders].sort((a, b) => a.atMs - b.atMs);
}
