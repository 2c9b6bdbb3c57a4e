import { resolve } from "node:path";
import { openRun, type RunChunk, sha256File } from "@ragline/artifacts";
import { buildLedger, type CoreSpan, LedgerError } from "@ragline/chunking";
import {
  DocumentError,
  DocumentReader,
  type FoundDocument,
  findDocuments,
  type PathRuleOptions,
} from "@ragline/documents";

/** What became of checking a run against its documents. */
export interface SourceVerification {
  /** Documents of which every byte was found in the run's chunks, or counted as the manifest says. */
  readonly sound: number;
  /** Relative paths of documents that have other bytes now, or are not there any more: they say nothing about the run. */
  readonly changed: readonly string[];
  readonly missing: readonly string[];
  /** What is wrong, one phrase for each document. */
  readonly problems: readonly { readonly path: string; readonly detail: string }[];
}

/** Bytes by reason. */
type Counts = Readonly<Record<string, number>>;

interface ListedInput {
  readonly path: string;
  readonly sha256: string;
  readonly chunks: number;
  readonly ledger: Counts;
}

/** The documents that a manifest lists with their ledger. */
function listedInputs(manifest: object): ListedInput[] {
  const { inputs } = manifest as { inputs?: unknown };
  if (!Array.isArray(inputs)) return [];
  return inputs.filter(
    (input): input is ListedInput => typeof input === "object" && input !== null && "ledger" in input,
  );
}

/** Where the run's documents were, as its settings say. */
function runInputs(manifest: object): { inputs: string[]; rules: PathRuleOptions } {
  const { config } = manifest as { config?: { values?: Record<string, unknown> } };
  const list = (key: string): string[] => {
    const value = config?.values?.[key];
    return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
  };
  const gitignore = config?.values?.["gitignore"] !== false;
  return { inputs: list("input"), rules: { include: list("include"), exclude: list("exclude"), gitignore } };
}

/**
 * Reads the documents of a run again, where they still have the bytes that it read, and accounts for every byte: the cores
 * of the chunks must be pieces of the text as the chunks have them, in order, and the counts those of the manifest.
 * @param inputs Files and directories; those of the run's settings where none are given.
 * @returns undefined for a run that was not made from documents, or whose inputs are not at hand.
 * @throws ArtifactError when the run cannot be read.
 */
export async function verifySources(
  dir: string,
  options: { readonly summaryPath?: string; readonly inputs?: readonly string[]; readonly signal?: AbortSignal },
): Promise<SourceVerification | undefined> {
  const run = await openRun(dir, options.summaryPath === undefined ? {} : { summaryPath: options.summaryPath });
  const listed = listedInputs(run.manifest);
  const { inputs: own, rules } = runInputs(run.manifest);
  const inputs = options.inputs ?? own;
  if (listed.length === 0 || inputs.length === 0) return undefined;
  const found = new Map<string, FoundDocument>();
  try {
    const { documents } = await findDocuments(
      inputs.map((input) => resolve(input)),
      rules,
    );
    for (const document of documents) found.set(document.relativePath, document);
  } catch (error) {
    if (error instanceof DocumentError && options.inputs === undefined) return undefined;
    throw error;
  }
  const check = new SourceCheck(listed, found, options.signal);
  try {
    let chunks: RunChunk[] = [];
    for await (const chunk of run.readChunks()) {
      if (chunks[0] !== undefined && pathOf(chunks[0]) !== pathOf(chunk)) {
        await check.document(pathOf(chunks[0]), chunks);
        chunks = [];
      }
      chunks.push(chunk);
    }
    if (chunks[0] !== undefined) await check.document(pathOf(chunks[0]), chunks);
    return check.result();
  } finally {
    check.close();
  }
}

function pathOf({ metadata }: RunChunk): string {
  const path = metadata["relative_path"];
  return typeof path === "string" ? path : "";
}

class SourceCheck {
  readonly #inputs: ReadonlyMap<string, ListedInput>;
  readonly #found: ReadonlyMap<string, FoundDocument>;
  readonly #reader: DocumentReader;
  readonly #seen = new Set<string>();
  readonly #changed: string[] = [];
  readonly #missing: string[] = [];
  readonly #problems: { path: string; detail: string }[] = [];
  #sound = 0;

  constructor(
    listed: readonly ListedInput[],
    found: ReadonlyMap<string, FoundDocument>,
    signal: AbortSignal | undefined,
  ) {
    this.#inputs = new Map(listed.map((input) => [input.path, input]));
    this.#found = found;
    this.#reader = new DocumentReader(signal === undefined ? {} : { signal });
  }

  async document(path: string, chunks: readonly RunChunk[]): Promise<void> {
    const input = this.#inputs.get(path);
    const file = this.#found.get(path);
    if (this.#seen.has(path)) this.#problem(path, "has chunks in two places of the run");
    this.#seen.add(path);
    if (input === undefined) this.#problem(path, "has chunks but is not among the manifest's inputs");
    else if (file === undefined) this.#missing.push(path);
    else if ((await sha256File(file.path)) !== input.sha256) this.#changed.push(path);
    else {
      const problem = await this.#account(file, input, chunks);
      if (problem === undefined) this.#sound++;
      else this.#problem(path, problem);
    }
  }

  result(): SourceVerification {
    for (const { path, chunks } of this.#inputs.values())
      if (chunks > 0 && !this.#seen.has(path)) this.#problem(path, "has no chunk in the run");
    return { sound: this.#sound, changed: this.#changed, missing: this.#missing, problems: this.#problems };
  }

  close(): void {
    this.#reader.close();
  }

  #problem(path: string, detail: string): void {
    this.#problems.push({ path, detail });
  }

  /** @returns what is wrong. */
  async #account(file: FoundDocument, input: ListedInput, chunks: readonly RunChunk[]): Promise<string | undefined> {
    const document = await this.#reader.read(file);
    const cores: CoreSpan[] = [];
    for (const { index, text, metadata } of chunks) {
      const [start, end, offset] = ["start_char", "end_char", "core_offset"].map((key) => Number(metadata[key])) as [
        number,
        number,
        number,
      ];
      if (document.text.slice(start, end) !== text.slice(offset, offset + end - start))
        return `does not have the text of the chunk at row ${index} from ${start} to ${end}`;
      cores.push({ start, end });
    }
    try {
      const told: (counts: Counts) => Counts = input.ledger["flagged"] ? joined : (counts) => counts;
      const counts = told(buildLedger(document, cores).byteCounts);
      const listed = told(input.ledger);
      for (const reason of new Set([...Object.keys(counts), ...Object.keys(listed)])) {
        const [now, then] = [counts[reason] ?? 0, listed[reason] ?? 0];
        if (now !== then) return `has ${now} bytes that are ${reason}, not the ${then} of the manifest`;
      }
      return undefined;
    } catch (error) {
      if (error instanceof LedgerError) return error.message;
      throw error;
    }
  }
}

/**
 * Counts of a ledger with the text that is in no chunk under one name. A run does not keep where the chunks were that it left
 * out, so that their words, white space and table rules cannot be told from others.
 */
function joined(counts: Counts): Counts {
  const { flagged = 0, blank = 0, markup = 0, oversized = 0, ...others } = counts;
  return { ...others, "in no chunk": flagged + blank + markup + oversized };
}
