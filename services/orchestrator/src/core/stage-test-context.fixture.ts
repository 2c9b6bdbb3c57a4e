import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescMessage, DescService } from "@bufbuild/protobuf";
import { resolveSettings } from "@ragline/config";
import { ExportChunksSchema } from "@ragline/contracts";
import { createClient, createServer, type Handlers, implementation, listen, serviceDefinition } from "@ragline/rpc";
import { noRunMetrics } from "@ragline/telemetry";
import { onTestFinished } from "vitest";
import { type RunSettings, runSettings } from "../run-settings.js";
import { ChunkSpool } from "./chunk-spool.js";
import { MessageSpool } from "./message-spool.js";
import type { RunContext, StageClients } from "./run-context.js";
import { emitTo, type RunEvent } from "./run-events.js";

/** A context of a run whose stage, whichever, runs at some addresses; everything that is told is kept. */
export function contextFor(
  service: DescService,
  addresses: readonly string[],
  { settings = {}, signal }: { settings?: Partial<RunSettings>; signal?: AbortSignal } = {},
): RunContext & { readonly events: RunEvent[] } {
  const events: RunEvent[] = [];
  const replicas = addresses.map((address) => ({ address, client: createClient(service, address) }));
  onTestFinished(() => {
    for (const { client } of replicas) client.close();
  });
  const stages = {
    leaseBroker: () => "",
    client: async () => replicas[0]?.client,
    clients: async () => replicas,
    hasDied: async () => false,
  };
  return {
    runId: "run",
    settings: {
      ...resolveSettings(runSettings, { env: {} }).values,
      leaseTimeout: 30,
      leasePriority: 0,
      include: null,
      exclude: null,
      gitignore: true,
      maxFileBytes: 67_108_864,
      fileTimeout: 60_000,
      rerankTimeout: 0,
      longText: "truncate",
      ...settings,
    },
    stages: stages as unknown as StageClients,
    metrics: noRunMetrics,
    emit: emitTo((event) => events.push(event)),
    signal: signal ?? new AbortController().signal,
    outcomes: [],
    events,
  };
}

/** Serves handlers on a free port until the test is over or the service is killed. */
export async function serve<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
): Promise<{ address: string; kill: () => void }> {
  const server = createServer();
  server.addService(serviceDefinition(service), implementation(service, handlers));
  const address = await listen(server, "127.0.0.1:0");
  const kill = () => server.forceShutdown();
  onTestFinished(kill);
  return { address, kill };
}

/** A spool in a directory of its own, removed when the test is over. */
export async function temporarySpool<Schema extends DescMessage>(schema: Schema): Promise<MessageSpool<Schema>> {
  const directory = await mkdtemp(join(tmpdir(), "ragline-stage-"));
  const spool = await MessageSpool.create(join(directory, "spool"), schema);
  onTestFinished(async () => {
    await spool.close();
    await rm(directory, { recursive: true });
  });
  return spool;
}

/** Chunks with these texts; the id of each is `id-<row>`. */
export async function chunksOf(texts: readonly string[]): Promise<ChunkSpool> {
  const chunks = new ChunkSpool(await temporarySpool(ExportChunksSchema));
  for (const [row, text] of texts.entries()) await chunks.add({ id: `id-${row}`, text, metadataJson: "{}" });
  await chunks.complete();
  return chunks;
}
