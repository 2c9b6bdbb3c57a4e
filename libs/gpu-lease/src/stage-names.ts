import { Stage } from "@ragline/contracts";
import { RaglineError } from "@ragline/rpc";
import type { LeaseStage } from "./lease.js";

const stages: Readonly<Record<LeaseStage, Stage>> = {
  dense: Stage.DENSE,
  sparse: Stage.SPARSE,
  rerank: Stage.RERANK,
};

/** The contract's name of a stage. */
export function toStage(name: LeaseStage): Stage {
  return stages[name];
}

/** A stage by its contract's name; throws RaglineError INVALID_ARGUMENT for one that leases nothing. */
export function fromStage(stage: Stage): LeaseStage {
  for (const [name, value] of Object.entries(stages)) if (value === stage) return name as LeaseStage;
  const known = Object.keys(stages).join(", ");
  throw new RaglineError("INVALID_ARGUMENT", "LEASE_STAGE_INVALID", `only these stages hold leases: ${known}`);
}
