import type { Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { DocumentError, type DocumentErrorReason } from "./document-error.js";
import { supportedExtensions } from "./formats/readers.js";
import { type IgnoreFile, type PathRuleOptions, PathRules } from "./path-rules.js";
import { unsupported } from "./read-document.js";

/** A file that can be read. */
export interface FoundDocument {
  /** Where to read it. */
  readonly path: string;
  /** From the input directory, with slashes; a file that was named itself has its bare name. Unique among what is found. */
  readonly relativePath: string;
  /** Lower case with its dot. */
  readonly extension: string;
}

/** A file that was passed over, and a sentence that says why. */
export interface SkippedDocument {
  readonly path: string;
  readonly reason: DocumentErrorReason;
  readonly message: string;
}

/** What was found below the inputs. */
export interface FoundDocuments {
  /** Sorted by relative path in the order of UTF-16 code units, the same in every locale. */
  readonly documents: FoundDocument[];
  readonly skipped: SkippedDocument[];
  /** Files and directories that were passed over by rule: hidden, excluded, not included, or ignored by Git. */
  readonly ignored: number;
}

/**
 * The documents among files and directories. Directories are searched to any depth without hidden entries,
 * `node_modules`, and what the rules leave out; files that are named themselves are read whatever the rules say. Links are
 * followed, and what is reached twice counts once.
 * @throws DocumentError when an input itself is missing, unreadable or of a kind that cannot be read.
 */
export async function findDocuments(inputs: readonly string[], options: PathRuleOptions = {}): Promise<FoundDocuments> {
  const search = new Search(new PathRules(options));
  for (const [i, input] of inputs.entries()) {
    try {
      await search.visit(input, basename(input), { ordinal: i + 1, isInput: true, ignoreFiles: [] });
    } catch (error) {
      throw asDocumentError(error, `input ${input}`);
    }
  }
  const { documents, skipped, ignored } = search;
  documents.sort((a, b) => compare(a.relativePath, b.relativePath));
  return { documents, skipped, ignored };
}

interface Visit {
  /** Position of the input that led here, from 1. */
  readonly ordinal: number;
  /** Whether it was named by the user rather than found in a directory. */
  readonly isInput: boolean;
  /** Of the directories above, the outermost first. */
  readonly ignoreFiles: readonly IgnoreFile[];
}

class Search {
  readonly documents: FoundDocument[] = [];
  readonly skipped: SkippedDocument[] = [];
  ignored = 0;
  readonly #rules: PathRules;
  readonly #seen = new Set<string>();
  readonly #names = new Set<string>();

  constructor(rules: PathRules) {
    this.#rules = rules;
  }

  async visit(path: string, relativePath: string, visit: Visit): Promise<void> {
    const entry: Stats = await stat(path);
    const extension = extname(path).toLowerCase();
    if (!visit.isInput && !this.#rules.admits(relativePath, entry.isDirectory(), visit.ignoreFiles)) {
      this.ignored++;
      return;
    }
    if (!entry.isDirectory() && !supportedExtensions.includes(extension)) throw unsupported(path, extension);
    // The real path ends loops of links and makes each file count once.
    const real = await realpath(path);
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    if (entry.isDirectory()) {
      const ignoreFiles = visit.isInput ? await this.#rules.repositoryFiles(path) : visit.ignoreFiles;
      await this.#enter(path, visit.isInput ? "" : `${relativePath}/`, { ...visit, ignoreFiles });
    } else this.documents.push({ path, relativePath: this.#unique(relativePath, visit.ordinal), extension });
  }

  async #enter(directory: string, prefix: string, { ordinal, ignoreFiles: above }: Visit): Promise<void> {
    const names = (await readdir(directory)).sort(compare);
    const own = names.includes(".gitignore") ? await this.#rules.ignoreFile(directory, prefix) : undefined;
    const ignoreFiles = own === undefined ? above : [...above, own];
    for (const name of names) {
      if (name.startsWith(".") || name === "node_modules") {
        this.ignored++;
        continue;
      }
      const path = join(directory, name);
      try {
        await this.visit(path, prefix + name, { ordinal, isInput: false, ignoreFiles });
      } catch (error) {
        const { reason, message } = asDocumentError(error, path);
        this.skipped.push({ path, reason, message });
      }
    }
  }

  /** Two inputs may hold files of the same relative path; the input's position tells them apart. */
  #unique(relativePath: string, ordinal: number): string {
    let name = relativePath;
    while (this.#names.has(name)) name = `${ordinal}/${name}`;
    this.#names.add(name);
    return name;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function asDocumentError(error: unknown, where: string): DocumentError {
  if (error instanceof DocumentError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") {
    return new DocumentError("missing", `${where} does not exist; check the path or the link`, { cause: error });
  }
  return new DocumentError("unreadable", `${where} cannot be read (${message}); check its permissions`, {
    cause: error,
  });
}
