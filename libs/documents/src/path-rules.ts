import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import ignore, { type Ignore } from "ignore";
import picomatch from "picomatch";

/** Which files of a directory are read. */
export interface PathRuleOptions {
  /**
   * Globs of the files to read, from the input directory; one without a slash matches names at any depth.
   * @default every file of a kind that can be read
   */
  include?: readonly string[];
  /** Globs of files and directories to pass over, written as those of `include`. @default none */
  exclude?: readonly string[];
  /** Whether `.gitignore` files hold: those of the directories that are searched and of the repository around. @default true */
  gitignore?: boolean;
}

/** Which entries of a directory are read. */
export class PathRules {
  readonly #isIncluded: (path: string) => boolean;
  readonly #isExcluded: (path: string) => boolean;
  readonly #usesGitignore: boolean;

  constructor({ include = [], exclude = [], gitignore = true }: PathRuleOptions) {
    this.#isIncluded = include.length === 0 ? () => true : toMatcher(include);
    this.#isExcluded = exclude.length === 0 ? () => false : toMatcher(exclude);
    this.#usesGitignore = gitignore;
  }

  /** The rules of a directory's own `.gitignore`, undefined without one. */
  async ignoreFile(directory: string, relativePath: string): Promise<IgnoreFile | undefined> {
    if (!this.#usesGitignore) return undefined;
    const text = await readFile(join(directory, ".gitignore"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : { directory: relativePath, prefix: "", rules: ignore().add(text) };
  }

  /**
   * The rules of the repository around an input directory, the outermost first. None where they ignore that directory
   * itself: who names it wants it read.
   */
  async repositoryFiles(directory: string): Promise<IgnoreFile[]> {
    const input = resolve(directory);
    const above: string[] = [];
    for (let at = input; !existsSync(join(at, ".git")); at = dirname(at)) {
      if (dirname(at) === at) return [];
      above.unshift(dirname(at));
    }
    const files: IgnoreFile[] = [];
    for (const outer of above) {
      const file = await this.ignoreFile(outer, "");
      if (file) files.push({ ...file, prefix: `${relative(outer, input).split(sep).join("/")}/` });
    }
    return isIgnored("", false, files) ? [] : files;
  }

  /**
   * Whether an entry is read, or searched where it is a directory.
   * @param relativePath From the input directory, with slashes.
   * @param ignoreFiles Those of the directories above, the outermost first.
   */
  admits(relativePath: string, isDirectory: boolean, ignoreFiles: readonly IgnoreFile[]): boolean {
    if (this.#isExcluded(relativePath) || (!isDirectory && !this.#isIncluded(relativePath))) return false;
    return !isIgnored(relativePath, isDirectory, ignoreFiles);
  }
}

/** What the files say of a path; an inner file overrules an outer one, also to take back what that one ignores. */
function isIgnored(relativePath: string, isDirectory: boolean, ignoreFiles: readonly IgnoreFile[]): boolean {
  let ignored = false;
  for (const { directory, prefix, rules } of ignoreFiles) {
    const result = rules.test(prefix + relativePath.slice(directory.length) + (isDirectory ? "/" : ""));
    if (result.ignored) ignored = true;
    else if (result.unignored) ignored = false;
  }
  return ignored;
}

/** A `.gitignore` that was read. */
export interface IgnoreFile {
  /** Where it holds: a path from the input directory that ends with a slash, or nothing. */
  readonly directory: string;
  /** The way from its own directory to the input directory, with a slash at its end; empty inside of that. */
  readonly prefix: string;
  readonly rules: Ignore;
}

function toMatcher(globs: readonly string[]): (path: string) => boolean {
  const matchers = globs.map((glob) => {
    // A directory is named with a slash at its end, and "./" is where globs start anyhow.
    const pattern = glob.replace(/^\.\//, "").replace(/\/$/, "");
    return picomatch(pattern, { dot: true, basename: !pattern.includes("/") });
  });
  return (path) => matchers.some((matches) => matches(path));
}
