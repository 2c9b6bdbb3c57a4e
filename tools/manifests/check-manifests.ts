import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const sections = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;
const exactVersion = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

interface Manifest extends Partial<Record<(typeof sections)[number], Record<string, string>>> {
  name: string;
  version: string;
  license?: string;
}

/** What the check found. */
export interface ManifestReport {
  /** How many package.json files were read. */
  readonly manifestCount: number;
  /** A sentence for each violation: where, what, and what to do. */
  readonly violations: readonly string[];
}

/**
 * Checks every package.json of the repository at `root`: each states the root's licence, each version of a dependency is
 * exact, a third-party package has one version everywhere, and a workspace package is asked for in its own version.
 */
export function checkManifests(root: string): ManifestReport {
  const manifests = listManifests(root).map((path) => ({
    path,
    manifest: JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest,
  }));
  const license = manifests[0]?.manifest.license;
  const ownVersions = new Map(manifests.map(({ manifest }) => [manifest.name, manifest.version]));
  const firstUse = new Map<string, { version: string; path: string }>();
  const violations: string[] = [];
  for (const { path, manifest } of manifests) {
    if (manifest.license === undefined) violations.push(`${path} states no licence: add "license".`);
    else if (manifest.license !== license) {
      violations.push(`${path} states the licence ${manifest.license}, the root's package.json ${license}.`);
    }
    for (const [name, version] of sections.flatMap((section) => Object.entries(manifest[section] ?? {}))) {
      const says = `${path} asks for ${name} ${version}`;
      const ownVersion = ownVersions.get(name);
      const first = firstUse.get(name) ?? { version, path };
      firstUse.set(name, first);
      if (ownVersion !== undefined) {
        if (version !== ownVersion) violations.push(`${says}, but the workspace's version is ${ownVersion}.`);
      } else if (!exactVersion.test(version)) violations.push(`${says}: pin one exact version.`);
      else if (version !== first.version) {
        violations.push(`${says}, ${first.path} for ${first.version}: use one version everywhere.`);
      }
    }
  }
  return { manifestCount: manifests.length, violations };
}

/** The root's package.json first, then those of the workspace's packages. */
function listManifests(root: string): string[] {
  const folders = ["libs", "services"].flatMap((parent) =>
    existsSync(join(root, parent))
      ? readdirSync(join(root, parent))
          .sort()
          .map((name) => `${parent}/${name}`)
      : [],
  );
  return [".", ...folders, "tools"]
    .map((folder) => (folder === "." ? "package.json" : `${folder}/package.json`))
    .filter((path) => existsSync(join(root, path)));
}
