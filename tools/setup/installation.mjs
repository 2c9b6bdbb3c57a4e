import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { runCommand } from "./run-command.mjs";
import { SetupError } from "./setup-error.mjs";

/** @typedef {{version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean, peer?: boolean}} LockEntry */

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes node_modules/.package-lock.json as the last act
 * of an installation; it lists what was really installed, so comparing the two also sees an interrupted installation.
 * Optional packages (other platforms' binaries) may be absent.
 *
 * @param {string} root the repository's root
 */
export function installationIsCurrent(root) {
  const wanted = readPackages(join(root, "package-lock.json"));
  const installed = readPackages(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true; // the root itself
    const found = installed[path];
    if (found === undefined) return Boolean(entry.optional || entry.devOptional || entry.peer);
    return found.version === entry.version && found.integrity === entry.integrity && found.link === entry.link;
  });
}

/**
 * Installs the locked dependencies unless they are there. Install scripts stay off: no dependency needs one, and one of
 * them would download CUDA libraries.
 *
 * @param {string} root the repository's root
 * @throws {SetupError} with a sentence for the user when npm fails
 */
export async function ensureInstalled(root) {
  if (installationIsCurrent(root)) return;
  await withLock(join(root, ".nx", "set-up.lock"), async () => {
    if (installationIsCurrent(root)) return; // another process did it while we waited
    console.error("Installing the dependencies of package-lock.json (npm ci) ...");
    const npm = process.env.npm_execpath?.endsWith("npm-cli.js")
      ? [process.execPath, process.env.npm_execpath]
      : ["npm"];
    // Without a network npm's own waits between retries would keep the user a minute and more.
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retry-maxtimeout=10000"];
    const code = await runCommand(root, [...npm, "ci", ...options], [0, 2, 2]);
    if (code === 0) return;
    if (code === 130) throw new SetupError("Interrupted while installing.", code);
    throw new SetupError(
      `Installing the dependencies failed: npm ci ended with code ${code}, and npm's own message is above. ` +
        "Check that the npm registry is reachable (npm ping), that the disk has room and that package-lock.json fits the package.json files (npm run lock), then run the command again.",
    );
  });
}

/**
 * @param {string} path a lock file
 * @returns {Record<string, LockEntry> | undefined} its packages by path, or undefined when there is no such file
 */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}
