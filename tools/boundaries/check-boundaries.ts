import { existsSync, readdirSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix, sep } from "node:path";
import { findCycles } from "./find-cycles.js";
import { readSourceFile, type SourceFile } from "./source-file.js";
import { readWorkspace, type Workspace, type WorkspacePackage } from "./workspace.js";

const maxLines = 400;
const generatedFolder = "libs/contracts/src/generated/";

/** What the check found. */
export interface BoundaryReport {
  /** How many source files were read. */
  readonly fileCount: number;
  /** A sentence for each violation: where, what, and what to do. */
  readonly violations: readonly string[];
}

/**
 * Checks the sources of libs/ and services/ against the architecture's rules: who may import whom, no cycles between
 * packages or files, packages entered by their name alone and declared, named exports only, no file over 400 lines.
 *
 * @param root the repository's root
 * @param longFiles files that may be longer, with the reason
 */
export function checkBoundaries(root: string, longFiles: Readonly<Record<string, string>>): BoundaryReport {
  const workspace = readWorkspace(root);
  const sources = workspace.packages.flatMap((owner) =>
    listSources(root, `${owner.folder}/src`).map((path) => ({ owner, file: readSourceFile(root, path) })),
  );
  const files = sources.map(({ file }) => file);
  return {
    fileCount: files.length,
    violations: [
      ...sources.flatMap(({ owner, file }) => [
        ...checkShape(file, longFiles),
        ...file.specifiers.flatMap((specifier) => checkImport(workspace, owner, file, specifier) ?? []),
      ]),
      ...checkLongFiles(files, longFiles),
      ...describeCycles("Packages", packageGraph(workspace, sources)),
      ...describeCycles("Files", fileGraph(files)),
    ],
  };
}

function checkShape(file: SourceFile, longFiles: Readonly<Record<string, string>>): string[] {
  if (file.path.startsWith(generatedFolder)) return [];
  const violations: string[] = [];
  if (file.syntaxError !== undefined) violations.push(`${file.path} cannot be parsed: ${file.syntaxError}.`);
  if (file.hasExportAll) violations.push(`${file.path} has an "export *": name each export.`);
  if (file.hasDefaultExport) violations.push(`${file.path} has a default export: export it by name.`);
  if (file.lineCount > maxLines && longFiles[file.path] === undefined) {
    violations.push(
      `${file.path} has ${file.lineCount} lines, more than ${maxLines}: split it, or list it with a reason in tools/boundaries/long-files.ts.`,
    );
  }
  return violations;
}

function checkLongFiles(files: readonly SourceFile[], longFiles: Readonly<Record<string, string>>): string[] {
  const long = new Set(files.filter(({ lineCount }) => lineCount > maxLines).map(({ path }) => path));
  const stale = Object.keys(longFiles).filter((path) => !long.has(path));
  return stale.map(
    (path) =>
      `tools/boundaries/long-files.ts lists ${path}, which is no file of more than ${maxLines} lines: remove it.`,
  );
}

/** The sentence for one import that breaks a rule, or undefined. */
function checkImport(
  workspace: Workspace,
  owner: WorkspacePackage,
  file: SourceFile,
  specifier: string,
): string | undefined {
  const says = `${file.path} imports ${specifier}`;
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(file.path), specifier);
    if (target.startsWith(`${owner.folder}/`)) return undefined;
    return `${says}, which leaves its package: import the other package by its name.`;
  }
  if (specifier.startsWith("node:")) return undefined;
  if (builtinModules.includes(specifier)) return `${says}: write node:${specifier}.`;

  const name = packageName(specifier);
  const target = workspace.packages.find((candidate) => candidate.name === name);
  if (target !== undefined) {
    if (target.kind === "service" && target !== owner) {
      return owner.kind === "service"
        ? `${says}: a service never imports a service, it calls it over gRPC.`
        : `${says}: a library never imports a service.`;
    }
    if (specifier !== name) return `${says}: import ${name} itself, and let it export what is missing.`;
  }
  if (owner.dependencies.has(name)) return undefined;
  const isTest = /[.-](test|fixture)\.ts$/.test(file.path);
  const declaredForTests = owner.devDependencies.has(name) || workspace.rootDevDependencies.has(name);
  if (isTest && declaredForTests) return undefined;
  const manifest = `${owner.folder}/package.json`;
  return declaredForTests
    ? `${says}, which is declared for tests only: add it to the dependencies of ${manifest}.`
    : `${says}, which ${manifest} does not declare: add it to its dependencies.`;
}

function packageGraph(
  workspace: Workspace,
  sources: readonly { owner: WorkspacePackage; file: SourceFile }[],
): Map<string, Set<string>> {
  const graph = new Map(workspace.packages.map(({ name }) => [name, new Set<string>()]));
  const connect = (from: string, to: string): void => {
    if (from !== to && graph.has(to)) graph.get(from)?.add(to);
  };
  for (const { name, dependencies, devDependencies } of workspace.packages) {
    for (const dependency of [...dependencies, ...devDependencies]) connect(name, dependency);
  }
  for (const { owner, file } of sources) {
    for (const specifier of file.specifiers) connect(owner.name, packageName(specifier));
  }
  return graph;
}

function fileGraph(files: readonly SourceFile[]): Map<string, string[]> {
  const paths = new Set(files.map(({ path }) => path));
  return new Map(
    files.map((file) => {
      const relative = file.specifiers.filter((specifier) => specifier.startsWith("."));
      const targets = relative.map((specifier) =>
        posix.join(posix.dirname(file.path), specifier).replace(/\.js$/, ".ts"),
      );
      return [file.path, targets.filter((target) => paths.has(target))];
    }),
  );
}

function describeCycles(what: string, graph: ReadonlyMap<string, Iterable<string>>): string[] {
  return findCycles(graph).map((cycle) => `${what} import each other in a circle: ${cycle.join(" -> ")}.`);
}

/** `@scope/name` or `name` of a specifier that may go deeper. */
function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function listSources(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return entries
    .filter((entry) => /\.[cm]?tsx?$/.test(entry))
    .map((entry) => `${folder}/${entry.split(sep).join("/")}`)
    .sort();
}
