import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settingArguments } from "@ragline/config";
import { DenseService, ExportService, LeaseService, RerankService, SparseService } from "@ragline/contracts";
import { holderKeepalive, type LeaseEvent, LocalLeases, leaseHandlers } from "@ragline/gpu-lease";
import { type ModelSettings, modelSettings } from "@ragline/models";
import {
  assertReachable,
  type Client,
  createClient,
  createServer,
  implementation,
  listen,
  RaglineError,
  serviceDefinition,
} from "@ragline/rpc";
import { type SpawnedService, spawnService } from "@ragline/service-kit";
import { removeDeadDirectories } from "../core/remove-dead-directories.js";
import { defaultRetryPolicy } from "../core/retry-policy.js";
import type { StageClients, StageName, StageReplica, StageServices } from "../core/run-context.js";
import type { RunLeases } from "./run-leases.js";
import { stageEntry } from "./stage-entry.js";

const services: StageServices = {
  dense: DenseService,
  sparse: SparseService,
  rerank: RerankService,
  export: ExportService,
};

/** How {@link StageProcesses} reaches the stages. */
export interface StageProcessesOptions {
  /** Addresses of services that run already; the others are started as children when they are needed. */
  readonly endpoints: ReadonlyMap<StageName, readonly string[]>;
  /** Worker processes per model in the children; 0 is the services' own default. */
  readonly workers: number;
  /** Where the children lease devices. */
  readonly leases: RunLeases;
  /** Whether a device of our own broker is leased to one model at a time. */
  readonly exclusive: boolean;
  /** Which models there are for the children, and where their files come from. */
  readonly modelSettings: ModelSettings;
  readonly logLevel: string;
  /** Told of each line that a child logs. */
  readonly onLine: (line: string) => void;
  /** Collector of the children's traces, beside that of the environment. @default none */
  readonly otlpEndpoint?: string;
  /** Told of each service, and whether it is a child, before it is given work. @default ignored */
  readonly onConnect?: (name: string, address: string, isChild: boolean) => Promise<void>;
}

interface Child {
  readonly started: Promise<SpawnedService>;
  ended: boolean;
}

// A process that dies takes its connections along a moment before its end is told.
const exitNoticeMs = 500;

const socketDirectory = "ragline-sockets-";

/** The stages of a run: services that run already, or children of this process, which end with it however it ends. */
export class StageProcesses implements StageClients {
  readonly #brokerAddress: string;
  readonly #options: StageProcessesOptions;
  readonly #directory: string;
  /** Those of our own broker, if there is one. */
  readonly #leases: LocalLeases | undefined;
  readonly #closeBroker: () => void;
  readonly #children = new Map<StageName, Child>();
  readonly #clients: { close(): void }[] = [];
  #starts = 0;
  #closed = false;

  private constructor(
    options: StageProcessesOptions,
    directory: string,
    broker: { leases?: LocalLeases; address: string; close: () => void },
  ) {
    this.#options = options;
    this.#directory = directory;
    this.#leases = broker.leases;
    this.#brokerAddress = broker.address;
    this.#closeBroker = broker.close;
  }

  /** Starts a lease broker where none is named; services start when they are asked for. */
  static async open(options: StageProcessesOptions): Promise<StageProcesses> {
    await removeDeadDirectories(tmpdir(), socketDirectory);
    const directory = await mkdtemp(join(tmpdir(), `${socketDirectory}${process.pid}-`));
    const { leases, exclusive } = options;
    if ("address" in leases) return new StageProcesses(options, directory, { ...leases, close: () => undefined });
    const local = new LocalLeases(leases.findDevices, { exclusive });
    const server = createServer(holderKeepalive);
    server.addService(serviceDefinition(LeaseService), implementation(LeaseService, leaseHandlers(local)));
    const address = await listen(server, socketAddress(directory, "lease"));
    return new StageProcesses(options, directory, { leases: local, address, close: () => server.forceShutdown() });
  }

  leaseBroker(name: StageName): string {
    return this.#options.endpoints.has(name) ? "" : this.#brokerAddress;
  }

  /** What has happened to leases so far. */
  get leaseEvents(): readonly LeaseEvent[] {
    return this.#leases?.events ?? [];
  }

  /** The broker's devices. */
  get devices(): LocalLeases["devices"] {
    return this.#leases?.devices ?? [];
  }

  /** Process ids of the children that run, by stage. */
  async pids(): Promise<Partial<Record<StageName, number>>> {
    const running = [...this.#children].filter(([, child]) => !child.ended);
    return Object.fromEntries(
      await Promise.all(running.map(async ([name, child]) => [name, (await child.started).pid] as const)),
    );
  }

  /**
   * Checks that the lease broker and the services which run elsewhere can be reached, before work is done that would be for nothing.
   * One replica of each is enough: what the others cannot do, it does.
   * @throws RaglineError UNAVAILABLE naming the first stage that cannot be reached.
   */
  async assertReachable(names: readonly StageName[]): Promise<void> {
    const { leases } = this.#options;
    if ("address" in leases) await assertReachable(leases.address, { name: "lease broker" });
    for (const name of names) {
      const addresses = this.#options.endpoints.get(name);
      if (!addresses) continue;
      const checks = addresses.map((address) => assertReachable(address, { name: `${name} service` }));
      try {
        await Promise.any(checks);
      } catch {
        await checks[0];
      }
    }
  }

  /** Starts children that will be needed, so that they are ready when they are; failures are told when they are asked for. */
  warm(names: readonly StageName[]): void {
    for (const name of names) if (!this.#options.endpoints.has(name)) this.#child(name).started.catch(() => undefined);
  }

  async client<Name extends StageName>(name: Name): Promise<Client<StageServices[Name]>> {
    const [address] = await this.#addresses(name);
    await this.#tellConnect(name, [address]);
    return this.#connect(name, address);
  }

  async clients<Name extends StageName>(name: Name): Promise<readonly StageReplica<Name>[]> {
    const addresses = await this.#addresses(name);
    await this.#tellConnect(name, addresses);
    return addresses.map((address) => ({ address, client: this.#connect(name, address) }));
  }

  async hasDied(name: StageName): Promise<boolean> {
    const child = this.#children.get(name);
    if (!child || this.#closed) return false;
    const { exited } = await child.started;
    let timer: NodeJS.Timeout | undefined;
    const notYet = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), exitNoticeMs);
    });
    const died = await Promise.race([exited.then(() => true), notYet]);
    clearTimeout(timer);
    return died;
  }

  /** Ends the children and the broker. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const client of this.#clients) client.close();
    await Promise.all(
      [...this.#children.values()].map(({ started }) =>
        started.then((service) => service.stop()).catch(() => undefined),
      ),
    );
    this.#closeBroker();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Where a stage is: its endpoints, or the child that does its work. */
  async #addresses(name: StageName): Promise<readonly [string, ...string[]]> {
    const [first, ...others] = this.#options.endpoints.get(name) ?? [];
    return first === undefined ? [(await this.#child(name).started).address] : [first, ...others];
  }

  async #tellConnect(name: StageName, addresses: readonly string[]): Promise<void> {
    const { onConnect, endpoints } = this.#options;
    if (!onConnect) return;
    await Promise.all(addresses.map((address) => onConnect(`${name} service`, address, !endpoints.has(name))));
  }

  #connect<Name extends StageName>(name: Name, address: string): Client<StageServices[Name]> {
    const client = createClient(services[name] as StageServices[Name], address, { name: `${name} service` });
    this.#clients.push(client);
    return client;
  }

  #child(name: StageName): Child {
    const known = this.#children.get(name);
    if (known && !known.ended) return known;
    const started = this.#start(name);
    const child: Child = { started, ended: false };
    started.then(
      ({ exited }) =>
        exited.then(() => {
          child.ended = true;
        }),
      () => {
        child.ended = true;
      },
    );
    this.#children.set(name, child);
    return child;
  }

  /** Starts a child; one that is killed before it serves, as by a system that is short of memory, is started again. */
  async #start(name: StageName): Promise<SpawnedService> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#spawn(name);
      } catch (error) {
        const wasKilled = error instanceof RaglineError && error.details["signal"] !== undefined;
        if (!wasKilled || restarts >= defaultRetryPolicy.restarts || this.#closed) throw error;
      }
    }
  }

  #spawn(name: StageName): Promise<SpawnedService> {
    const { logLevel, workers, modelSettings: models, onLine, otlpEndpoint } = this.#options;
    const hasModels = name !== "export";
    return spawnService({
      entry: stageEntry(name),
      name,
      args: [
        "--listen",
        // A name of its own for each start: a channel remembers that an address was dead for a while.
        socketAddress(this.#directory, `${name}-${++this.#starts}`),
        "--log-level",
        logLevel,
        ...(hasModels && workers > 0 ? ["--workers", String(workers)] : []),
        ...(hasModels ? settingArguments(modelSettings, models) : []),
        ...(otlpEndpoint ? ["--otlp-endpoint", otlpEndpoint] : []),
      ],
      onLine,
    });
  }
}

/** A socket in a directory that only this user can enter; Windows has a free port instead. */
function socketAddress(directory: string, name: string): string {
  return process.platform === "win32" ? "127.0.0.1:0" : `unix:${join(directory, `${name}.sock`)}`;
}
