/** The part of a package-lock.json (lockfileVersion 3) that is read or written here. */
export interface PackageLock {
  packages: Record<string, LockedPackage>;
}

/** One package of a lock file. */
export interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
  link?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors: Readonly<Record<string, string>> = {
  arm: "arm",
  arm64: "arm64",
  armv7: "arm",
  ia32: "ia32",
  loong64: "loong64",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
  wasm32: "wasm32",
  x64: "x64",
};
const cLibraries: Readonly<Record<string, string>> = {
  gnu: "glibc",
  gnueabihf: "glibc",
  musl: "musl",
  musleabihf: "musl",
};

/**
 * Optional dependencies of locked packages that the lock file lacks: other platforms' binaries that npm could not look up
 * when the file was written (a mirror without them, or an existing node_modules, https://github.com/npm/cli/issues/4828).
 * `npm ci` refuses such a file or, on those platforms, installs a tool without its binary.
 *
 * @returns `[parent, name, version]` of each
 */
export function missingOptionals(lock: PackageLock): [parent: string, name: string, version: string][] {
  return Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !isResolvable(lock, path, name))
      .map(([name, version]): [string, string, string] => [path, name, version]),
  );
}

/**
 * Adds what {@link missingOptionals} finds, the platform read from the package's name. Such an entry has no integrity:
 * npm checks it over HTTPS alone.
 *
 * @throws Error when a version is no exact one or a name tells no platform, since the entry would be a guess
 */
export function completeLock(lock: PackageLock): PackageLock {
  const packages = { ...lock.packages };
  for (const [parent, name, version] of missingOptionals(lock)) {
    const words = (name.split("/").pop() ?? name).split("-");
    const os = words.filter((word) => systems.includes(word));
    const cpu = words.flatMap((word) => processors[word] ?? []);
    const libc = words.flatMap((word) => cLibraries[word] ?? []);
    if (!/^\d+\.\d+\.\d+$/.test(version) || cpu.length !== 1) {
      throw new Error(`${parent} wants ${name} ${version}, whose platform or version cannot be told: lock it by hand.`);
    }
    packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(packages[parent]?.dev ? { dev: true } : {}),
      ...(os.includes("linux") && libc.length > 0 ? { libc } : {}),
      optional: true,
      ...(os.length > 0 ? { os } : {}),
    };
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

/** Whether Node would find `name` from the package at `path`: in its own node_modules or in one above. */
function isResolvable(lock: PackageLock, path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) {
    if (lock.packages[folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`] !== undefined)
      return true;
    if (folder === "") return false;
  }
}
