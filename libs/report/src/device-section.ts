import type { Manifest } from "@ragline/artifacts";
import { type Bar, barChart } from "./bar-chart.js";
import { details, type Section, table } from "./elements.js";
import { bytes, number, seconds } from "./format.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

type Lease = NonNullable<Manifest["leases"]>[number];

const figure = (record: Readonly<Record<string, unknown>>, key: string): number | undefined => {
  const value = record[key];
  return typeof value === "number" ? value : undefined;
};

/** From grant to release, of leases whose grant is known; one that was never given back lasts to the last event. */
function leaseBars(leases: readonly Lease[]): { bars: Bar[]; memory: Bar[] } {
  const start = Math.min(...leases.map(({ atMs }) => atMs));
  const end = Math.max(...leases.map(({ atMs }) => atMs));
  const stages = [...new Set(leases.map(({ stage }) => stage))];
  const granted = leases.filter(({ kind }) => kind === "granted");
  const endOf = (lease: Lease): Lease | undefined =>
    leases.find(({ leaseId, kind }) => leaseId === lease.leaseId && (kind === "released" || kind === "abandoned"));
  const bars = granted.map((lease): Bar => {
    const [from, to] = [(lease.atMs - start) / 1000, ((endOf(lease)?.atMs ?? end) - start) / 1000];
    return {
      label: `${lease.device}: ${lease.model}`,
      from,
      to,
      text: seconds(to - from),
      colour: stages.indexOf(lease.stage) % 8,
    };
  });
  const memory = granted.flatMap((lease): Bar[] => {
    const peak = endOf(lease)?.peakBytes;
    if (peak === undefined) return [];
    const label = `${lease.device}: ${lease.model}`;
    return [
      {
        label,
        to: peak / 1e6,
        text: bytes(peak),
        mark: lease.bytes / 1e6,
        colour: stages.indexOf(lease.stage) % 8,
      },
    ];
  });
  return { bars, memory };
}

/** Devices, leases on a time axis, and memory against what was leased. */
export function deviceSection({ manifest }: ReportContent): Section {
  const devices = manifest.performance_baseline?.devices ?? [];
  const leases = manifest.leases ?? [];
  const { bars, memory } = leases.length > 0 ? leaseBars(leases) : { bars: [], memory: [] };
  const start = leases[0]?.atMs ?? 0;
  const deviceRows = devices.map((device) => [
    device.device,
    device.kind,
    device.leases,
    seconds(figure(device, "lease_wait_seconds")),
    bytes(figure(device, "granted_bytes")),
    bytes(device.peak_bytes),
    bytes(figure(device, "soft_limit_bytes")),
    bytes(figure(device, "cap_bytes")),
    figure(device, "soft_limit_crossings"),
  ]);
  const leaseRows = leases.map(({ kind, stage, model, device, bytes: size, atMs, waitMs, peakBytes, reason }) => [
    kind,
    stage,
    model,
    device,
    reason ?? "",
    number((atMs - start) / 1000, 2),
    bytes(size),
    waitMs === undefined ? undefined : seconds(waitMs / 1000),
    bytes(peakBytes),
  ]);
  return {
    id: "devices",
    title: "Devices, leases and memory",
    content: html`${
      deviceRows.length > 0
        ? table(deviceRows, {
            caption: "Devices",
            head: [
              "device",
              "kind",
              "leases",
              "waited",
              "largest lease",
              "peak",
              "soft limit",
              "cap",
              "over soft limit",
            ],
            textColumns: 2,
          })
        : undefined
    }${
      bars.length > 0
        ? html`<h3>Leases over time</h3>
${barChart(bars, { label: "Leases of devices over time", axis: "seconds since the first event of a lease" })}
<h3>Peak memory of each lease</h3>
${barChart(memory, { label: "Peak memory of each lease against its size", axis: "MB; the mark is what was leased" })}
${details("Lease events as a table", table(leaseRows, { caption: "Lease events", head: ["event", "stage", "model", "device", "reason", "at s", "size", "waited", "peak"], textColumns: 5, maxRows: 300 }))}`
        : html`<p>No device was leased.</p>
`
    }`,
  };
}
