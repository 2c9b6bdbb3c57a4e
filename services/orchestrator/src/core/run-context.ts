import type { DenseService, ExportService, Outcome, RerankService, SparseService } from "@ragline/contracts";
import type { Client } from "@ragline/rpc";
import type { RunMetrics } from "@ragline/telemetry";
import type { RunSettings } from "../run-settings.js";
import type { Emit } from "./run-events.js";

/** The services behind the stages. */
export interface StageServices {
  readonly dense: typeof DenseService;
  readonly sparse: typeof SparseService;
  readonly rerank: typeof RerankService;
  readonly export: typeof ExportService;
}

/** Name of a stage that runs as a service. */
export type StageName = keyof StageServices;

/** One of the services that do a stage's work, with where it is. */
export interface StageReplica<Name extends StageName> {
  /** "host:port" or "unix:/path". */
  readonly address: string;
  readonly client: Client<StageServices[Name]>;
}

/** How a run reaches its stages. */
export interface StageClients {
  /** Address of the broker that a stage leases devices from; empty: its own, as for stages that may be on another host. */
  leaseBroker(name: StageName): string;
  /** A client for a stage; one that runs as our child and has died is started anew. */
  client<Name extends StageName>(name: Name): Promise<Client<StageServices[Name]>>;
  /** A client for each replica of a stage, one at least, in the order of the endpoints; a child of ours is one alone. */
  clients<Name extends StageName>(name: Name): Promise<readonly StageReplica<Name>[]>;
  /** Whether the stage is a child of ours that has died since its last client was handed out. */
  hasDied(name: StageName): Promise<boolean>;
}

/** What every step of a run works with. */
export interface RunContext {
  readonly runId: string;
  readonly settings: RunSettings;
  readonly stages: StageClients;
  readonly emit: Emit;
  readonly metrics: RunMetrics;
  /** Aborts when the run is to stop. */
  readonly signal: AbortSignal;
  /** Everything that did not go as asked, so far. */
  readonly outcomes: Outcome[];
}
