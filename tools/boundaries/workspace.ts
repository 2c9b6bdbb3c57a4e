import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A package below libs/ or services/. */
export interface WorkspacePackage {
  readonly name: string;
  readonly kind: "library" | "service";
  /** From the repository's root, with forward slashes: `libs/rpc`. */
  readonly folder: string;
  /** What its sources may import. */
  readonly dependencies: ReadonlySet<string>;
  /** What its tests may import as well. */
  readonly devDependencies: ReadonlySet<string>;
}

/** The packages of the repository at `root`, and what every test may import. */
export interface Workspace {
  readonly root: string;
  readonly packages: readonly WorkspacePackage[];
  readonly rootDevDependencies: ReadonlySet<string>;
}

/** Reads the package.json of the root and of every package below libs/ and services/; throws where one is no JSON. */
export function readWorkspace(root: string): Workspace {
  const packages = (["libs", "services"] as const).flatMap((parent) => {
    if (!existsSync(join(root, parent))) return [];
    const folders = readdirSync(join(root, parent)).sort();
    return folders
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(join(root, folder, "package.json")))
      .map((folder): WorkspacePackage => {
        const manifest = readManifest(join(root, folder, "package.json"));
        return {
          name: manifest.name,
          kind: parent === "libs" ? "library" : "service",
          folder,
          dependencies: names(manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies),
          devDependencies: names(manifest.devDependencies),
        };
      });
  });
  return { root, packages, rootDevDependencies: names(readManifest(join(root, "package.json")).devDependencies) };
}

type Versions = Record<string, string>;

interface Manifest {
  name: string;
  dependencies?: Versions;
  devDependencies?: Versions;
  peerDependencies?: Versions;
  optionalDependencies?: Versions;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}

function names(...sections: (Versions | undefined)[]): Set<string> {
  return new Set(sections.flatMap((section) => Object.keys(section ?? {})));
}
