// Prints each violation of the architecture's rules in libs/ and services/, and fails when there is one.
import { checkBoundaries } from "./check-boundaries.js";
import { longFiles } from "./long-files.js";

const { fileCount, violations } = checkBoundaries(process.cwd(), longFiles);
for (const violation of violations) console.error(violation);
console.log(`Boundaries: ${fileCount} files, ${violations.length} violations.`);
if (violations.length > 0) process.exitCode = 1;
