import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { withLock } from "./lock.mjs";
import { runCommand } from "./run-command.mjs";
import { SetupError } from "./setup-error.mjs";

const packageFolders = ["libs", "services"];
const rootFiles = ["package-lock.json", "nx.json", "tsconfig.base.json"];

/**
 * Builds libraries and services unless nothing changed since the last build. nx decides what to build and caches it, but
 * takes a second to find that there is nothing to do; a stamp over the sources' sizes and times takes milliseconds.
 *
 * @param {string} root the repository's root
 * @throws {SetupError} with a sentence for the user when the build fails
 */
export async function ensureBuilt(root) {
  if (buildIsCurrent(root)) return;
  await withLock(join(root, ".nx", "set-up.lock"), async () => {
    if (buildIsCurrent(root)) return; // another process did it while we waited
    console.error("Building the packages (nx run-many -t build) ...");
    const stamp = sourceStamp(root); // before the build: what changes meanwhile is built the next time
    const command = ["nx", "run-many", "-t", "build", "--exclude", "@ragline/tools"];
    const code = await runCommand(root, command, [0, 2, 2]);
    if (code === 130) throw new SetupError("Interrupted while building.", code);
    if (code !== 0) throw new SetupError(`The build failed: nx ended with code ${code}; its errors are above.`);
    writeStamp(root, stamp);
  });
}

/**
 * Whether every package has its output and no source changed since the stamp was written.
 *
 * @param {string} root the repository's root
 */
export function buildIsCurrent(root) {
  const path = stampPath(root);
  if (!existsSync(path) || readFileSync(path, "utf8") !== sourceStamp(root)) return false;
  return packages(root).every((folder) => existsSync(join(root, folder, "dist", ".tsbuildinfo")));
}

/**
 * @param {string} root the repository's root
 * @param {string} stamp the value of {@link sourceStamp} before the build
 */
export function writeStamp(root, stamp) {
  mkdirSync(dirname(stampPath(root)), { recursive: true });
  writeFileSync(stampPath(root), stamp);
}

/**
 * @param {string} root the repository's root
 * @returns {string} a hash over path, size and modification time of everything that the build reads
 */
export function sourceStamp(root) {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ path) => {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  for (const file of rootFiles) add(file);
  for (const folder of packages(root)) {
    add(join(folder, "package.json"));
    add(join(folder, "tsconfig.json"));
    for (const file of filesBelow(root, join(folder, "src"))) add(file);
  }
  return hash.digest("hex");
}

/** @param {string} root */
function stampPath(root) {
  return join(root, ".nx", "build-stamp");
}

/** @param {string} root */
function packages(root) {
  return packageFolders.flatMap((parent) =>
    readdirSync(join(root, parent))
      .sort()
      .map((name) => join(parent, name))
      .filter((folder) => existsSync(join(root, folder, "package.json"))),
  );
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(root, path) : [path];
    });
}
