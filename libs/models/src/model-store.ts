import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  HubError,
  hubCacheDir,
  hubToken,
  listRepository,
  type PullOptions,
  type PullProgress,
  pullFiles,
  RepositoryCache,
  type RepositoryListing,
  type WantedFile,
} from "@ragline/hub";
import { type GraphModelEntry, hasGraph, type ModelEntry, type ModelFileSpec, unpinned } from "./model-entry.js";
import {
  graphFiles,
  ModelFileError,
  modelDirectory,
  sharedFiles,
  type VerifiedModel,
  verifyModel,
  verifyTokenizer,
} from "./model-files.js";
import { ModelLock, type ModelPin } from "./model-lock.js";
import type { ModelSettings } from "./model-settings.js";
import type { Precision } from "./precision.js";

/** What a {@link ModelStore} tells while it works. */
export interface StoreEvents {
  /** Told of bytes as they come. */
  readonly onProgress?: (progress: PullProgress & { readonly model: string }) => void;
  /** Told when another process is pulling the same. */
  readonly onWait?: (model: string) => void;
  /** Told of failures that are followed by another try. */
  readonly onRetry?: (model: string, problem: string) => void;
}

/** How a model is had. */
export interface OpenModelOptions extends StoreEvents {
  /** Fetches also what is here. @default false */
  readonly refresh?: boolean;
  /** Takes what the hub has now in place of what was pinned. @default false */
  readonly repin?: boolean;
  readonly signal?: AbortSignal;
}

/** Where files of a model come from, and how a pull behaves. */
export type ModelStoreOptions = Partial<ModelSettings> &
  Pick<PullOptions, "connections" | "segmentBytes" | "minBackoffMs" | "retries" | "freeBytes" | "staleLockMs">;

/** An entry whose files are on the hub. */
export type HubModelEntry = GraphModelEntry & { source: Extract<GraphModelEntry["source"], { kind: "hub" }> };

/** Whether a model's files are on the hub. */
export function isHubModel(entry: ModelEntry): entry is HubModelEntry {
  return hasGraph(entry) && entry.source.kind === "hub";
}

/** The files of models: those that come with Ragline, folders of the user's own, and repositories of the hub. */
export class ModelStore {
  readonly #options: ModelStoreOptions;
  readonly #lock: ModelLock;
  /** The Hugging Face cache. */
  readonly cacheDir: string;

  constructor(options: ModelStoreOptions = {}) {
    this.#options = options;
    this.#lock = new ModelLock(options.modelsLock || "ragline.models.lock");
    this.cacheDir = hubCacheDir({ cacheDir: options.hfCacheDir ?? null, home: options.hfHome ?? null });
  }

  /**
   * The files of a model at a precision, each compared with its hash. Files of the hub that are not here are pulled
   * first, unless nothing may be downloaded; what a pull of an unpinned entry found goes into the lock file.
   * @throws ModelFileError saying which file, what was wrong, and what to do.
   */
  async open(entry: GraphModelEntry, precision: Precision, options: OpenModelOptions = {}): Promise<VerifiedModel> {
    if (!isHubModel(entry)) return verifyModel(entry, precision, this.#options.modelsDir || undefined);
    const graph = graphFiles(entry, precision);
    const shared = sharedFiles(entry);
    const files = await this.#pull(entry, [...shared, ...graph], options);
    const pathOf = ({ name }: ModelFileSpec) => files.find((file) => file.name === name)?.path ?? "";
    return {
      entry,
      precision,
      files: files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
      graphPath: pathOf(graph[0]),
      tokenizerPath: pathOf(entry.tokenizer.file),
      ...(entry.stopWords ? { stopWordsPath: pathOf(entry.stopWords) } : {}),
      graphBytes: files
        .filter(({ name }) => graph.some((file) => file.name === name))
        .reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** The files that a model needs at a precision, with sizes and hashes as far as entry and lock file know them. */
  async filesOf(entry: GraphModelEntry, precision: Precision): Promise<ModelFileSpec[]> {
    const files = [...sharedFiles(entry), ...graphFiles(entry, precision)];
    const pin = isHubModel(entry) ? await this.pinOf(entry) : undefined;
    return files.map((file) => ({ ...file, ...(file.sha256 === unpinned ? pin?.files[file.name] : {}) }));
  }

  /** Whether all files of a model at a precision are on this machine, right or wrong. */
  async isHere(entry: GraphModelEntry, precision: Precision): Promise<boolean> {
    const files = [...sharedFiles(entry), ...graphFiles(entry, precision)];
    if (!isHubModel(entry)) {
      const directory = modelDirectory(entry, this.#options.modelsDir || undefined);
      return files.every(({ name }) => existsSync(join(directory, name)));
    }
    const commit = await this.commitOf(entry);
    if (commit === undefined) return false;
    const cache = this.cacheOf(entry);
    try {
      const found = await Promise.all(files.map(({ name }) => cache.find(commit, name)));
      return found.every((file) => file !== undefined);
    } catch (error) {
      if (error instanceof HubError) return false;
      throw error;
    }
  }

  /**
   * The tokenizer of a model alone, for those who only count tokens.
   * @throws ModelFileError as {@link open} does.
   */
  async tokenizerPath(entry: GraphModelEntry, options: OpenModelOptions = {}): Promise<string> {
    const { file } = entry.tokenizer;
    if (!isHubModel(entry)) return verifyTokenizer(entry, this.#options.modelsDir || undefined);
    const [found] = await this.#pull(entry, [file], options);
    return found?.path ?? "";
  }

  /**
   * The files of a repository of the hub; offline, those that are here.
   * @throws ModelFileError
   */
  async list(repository: string, signal?: AbortSignal): Promise<RepositoryListing> {
    try {
      return await listRepository(repository, "main", { ...this.#hubOptions(), ...(signal ? { signal } : {}) });
    } catch (error) {
      throw error instanceof HubError ? new ModelFileError(error.message, { cause: error }) : error;
    }
  }

  /**
   * A JSON file of a repository of the hub.
   * @throws ModelFileError when it cannot be had, or is no JSON.
   */
  async readJson(repository: string, commit: string, name: string, signal?: AbortSignal): Promise<unknown> {
    try {
      const { files } = await pullFiles({
        ...this.#hubOptions(),
        repository,
        revision: commit,
        files: [{ name }],
        ...(signal ? { signal } : {}),
      });
      return JSON.parse(await readFile(files[0]?.path ?? "", "utf8"));
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new ModelFileError(`${repository}: ${name} is no JSON file`, { cause: error });
      throw error instanceof HubError ? new ModelFileError(error.message, { cause: error }) : error;
    }
  }

  /** How the hub is spoken to. The token is read here and kept nowhere. */
  #hubOptions() {
    const { hfEndpoint, hfHome, localFilesOnly, connections, segmentBytes, minBackoffMs, retries } = this.#options;
    const { freeBytes, staleLockMs } = this.#options;
    return {
      cacheDir: this.cacheDir,
      offline: localFilesOnly === true,
      token: hubToken(hfHome),
      ...(hfEndpoint ? { endpoint: hfEndpoint } : {}),
      ...(connections === undefined ? {} : { connections }),
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
      ...(minBackoffMs === undefined ? {} : { minBackoffMs }),
      ...(retries === undefined ? {} : { retries }),
      ...(freeBytes === undefined ? {} : { freeBytes }),
      ...(staleLockMs === undefined ? {} : { staleLockMs }),
    };
  }

  /** The pin of a model: what its entry names, and for what it does not, what the lock file has. */
  async pinOf(entry: HubModelEntry): Promise<ModelPin | undefined> {
    const pin = (await this.#lock.read())[entry.key];
    if (pin !== undefined && pin.repository !== entry.source.repository)
      throw new ModelFileError(
        `model ${entry.key}: ${this.#lock.path} pins files of ${pin.repository}, but its entry names ${entry.source.repository}; pull it with --repin if that is meant`,
      );
    return pin;
  }

  /** The cache of the repository that a model comes from. */
  cacheOf(entry: HubModelEntry): RepositoryCache {
    return new RepositoryCache(this.cacheDir, entry.source.repository);
  }

  /** The commit that is used of a model, as far as it is known on this machine. */
  async commitOf(entry: HubModelEntry): Promise<string | undefined> {
    const { revision } = entry.source;
    if (revision !== unpinned) return revision;
    return (await this.pinOf(entry))?.revision ?? (await this.cacheOf(entry).resolveRevision("main"));
  }

  async #pull(entry: HubModelEntry, wanted: readonly ModelFileSpec[], options: OpenModelOptions) {
    const { key, source } = entry;
    const pin = options.repin ? undefined : await this.pinOf(entry);
    const files = wanted.map((file): WantedFile => {
      const known = pin?.files[file.name];
      return {
        name: file.name,
        bytes: file.bytes ?? known?.bytes,
        sha256: file.sha256 === unpinned ? known?.sha256 : file.sha256,
      };
    });
    const { onProgress, onWait, onRetry, signal, refresh, repin } = options;
    try {
      const pulled = await pullFiles({
        ...this.#hubOptions(),
        repository: source.repository,
        revision: source.revision === unpinned ? (pin?.revision ?? "main") : source.revision,
        files,
        refresh: refresh === true,
        revalidate: repin === true,
        ...(signal ? { signal } : {}),
        ...(onProgress ? { onProgress: (progress: PullProgress) => onProgress({ ...progress, model: key }) } : {}),
        ...(onWait ? { onWait: () => onWait(key) } : {}),
        ...(onRetry ? { onRetry: (problem: string) => onRetry(key, problem) } : {}),
      });
      const isPinned = source.revision !== unpinned && wanted.every(({ sha256 }) => sha256 !== unpinned);
      const isKnown = pulled.files.every(({ name, sha256 }) => pin?.files[name]?.sha256 === sha256);
      if (!isPinned && !isKnown) {
        const found = pulled.files.map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }] as const);
        await this.#lock.write(key, {
          repository: source.repository,
          revision: pulled.commit,
          files: Object.fromEntries(found),
        });
      }
      return pulled.files;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      throw new ModelFileError(this.#explain(entry, error), { cause: error });
    }
  }

  #explain({ key, note }: HubModelEntry, { problem, message }: HubError): string {
    const more: Partial<Record<HubError["problem"], string>> = {
      offline: `; pull it first where there is a network: ragline models pull ${key}`,
      not_found: note ? `; ${note}` : "",
      differs: `; if the new files are meant: ragline models pull ${key} --repin`,
    };
    return `model ${key}: ${message}${more[problem] ?? ""}`;
  }
}
