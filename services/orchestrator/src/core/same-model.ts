import type { StageReady } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import { precisionName } from "./precision-name.js";

/** What a replica has opened, and where. */
export interface OpenedModel {
  readonly ready: StageReady;
  readonly address: string;
}

/** What computes: devices of different kinds give vectors that differ in their last bits. A simulated one is the CPU. */
function numericsOf({ deviceKind }: StageReady): string {
  return deviceKind === "cuda" ? "cuda" : "cpu";
}

type Difference = readonly [what: string, one: string | number, other: string | number];

const advices: Readonly<Record<string, string>> = {
  precision: "auto becomes what is fastest on each host, so set --precision to int8 or fp32",
  "kind of device": "name replicas on GPUs alone or on CPUs alone, for instance by --device cpu of each service",
};

/**
 * Checks that two replicas compute the same vectors: model, precision, dimension and files.
 * @throws RaglineError FAILED_PRECONDITION that names both and what differs.
 */
export function assertSameModel(one: OpenedModel, other: OpenedModel): void {
  const [a, b] = [one.ready, other.ready];
  const hashes = ({ files }: StageReady) => files.map(({ name, sha256 }) => `${name} ${sha256}`).sort();
  const differences: Difference[] = [
    ["model", a.model, b.model],
    ["kind of device", numericsOf(a), numericsOf(b)],
    ["precision", precisionName(a.precision), precisionName(b.precision)],
    ["dimension", a.dimension, b.dimension],
    ["model files", hashes(a).join(", "), hashes(b).join(", ")],
  ];
  const found = differences.find(([, left, right]) => left !== right);
  if (!found) return;
  const [what, left, right] = found;
  const advice = advices[what] ?? "use services of the same version with the same models";
  throw new RaglineError(
    "FAILED_PRECONDITION",
    "REPLICAS_DIFFER",
    `the services at ${one.address} and ${other.address} do not have the same ${what} (${left} and ${right}), so their results would not fit together; ${advice}`,
  );
}
