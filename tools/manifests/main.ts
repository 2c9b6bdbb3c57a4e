// Prints what is wrong with the repository's package.json files and its lock file, and fails when there is something.
import { readFileSync } from "node:fs";
import { missingOptionals, type PackageLock } from "../lock/complete-lock.js";
import { checkManifests } from "./check-manifests.js";

const { manifestCount, violations } = checkManifests(process.cwd());
const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as PackageLock;
const unlocked = missingOptionals(lock).map(
  ([parent, name]) =>
    `package-lock.json lacks ${name}, which ${parent} may need on another platform: run \`npm run lock\`.`,
);
for (const violation of [...violations, ...unlocked]) console.error(violation);
console.log(`Manifests: ${manifestCount} package.json files, ${violations.length + unlocked.length} violations.`);
if (violations.length + unlocked.length > 0) process.exitCode = 1;
