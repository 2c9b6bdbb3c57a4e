import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "oxc-parser";

/** What the check needs to know of one source file. */
export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly lineCount: number;
  /** What it imports or re-exports, statically, for types or by `import("literal")`, as written; each once. */
  readonly specifiers: readonly string[];
  readonly hasExportAll: boolean;
  readonly hasDefaultExport: boolean;
  /** The first syntax error, if there is one. */
  readonly syntaxError: string | undefined;
}

/** Parses the TypeScript file at `path` below `root`. */
export function readSourceFile(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const { module, errors } = parseSync(path, text);
  const exported = module.staticExports.flatMap(({ entries }) => entries);
  const dynamic = module.dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start, end));
  return {
    path,
    lineCount: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    specifiers: [
      ...new Set([
        ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
        ...exported.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
        ...dynamic.filter((literal) => /^["'`][^$]*["'`]$/.test(literal)).map((literal) => literal.slice(1, -1)),
      ]),
    ],
    hasExportAll: exported.some(({ importName }) => importName.kind === "All" || importName.kind === "AllButDefault"),
    hasDefaultExport: exported.some(({ exportName }) => exportName.kind === "Default" || exportName.name === "default"),
    syntaxError: errors[0]?.message,
  };
}
