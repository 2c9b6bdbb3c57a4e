// Adds the platform packages that npm left out of package-lock.json; run after `npm install`.
import { readFileSync, writeFileSync } from "node:fs";
import { completeLock, missingOptionals, type PackageLock } from "./complete-lock.js";

const path = "package-lock.json";
const lock = JSON.parse(readFileSync(path, "utf8")) as PackageLock;
const count = missingOptionals(lock).length;
if (count > 0) writeFileSync(path, `${JSON.stringify(completeLock(lock), undefined, 2)}\n`);
console.log(`${path}: ${count} platform packages added.`);
