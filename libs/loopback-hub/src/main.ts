// Serves the folders <owner>/<name> below a folder as repositories until it is ended; prints the address as its first line.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { type HubRepository, LoopbackHub } from "./loopback-hub.js";

const [root = "."] = process.argv.slice(2);
const repositories: Record<string, HubRepository> = {};
for (const owner of readdirSync(root))
  for (const name of readdirSync(join(root, owner))) {
    const folder = join(root, owner, name);
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = entries.map((entry) => join(entry.parentPath, entry.name));
    const files = paths.map((path) => [relative(folder, path).split(sep).join("/"), readFileSync(path)] as const);
    repositories[`${owner}/${name}`] = {
      commit: "0123456789abcdef".repeat(3).slice(0, 40),
      files: Object.fromEntries(files),
    };
  }
const { endpoint } = await LoopbackHub.start(repositories);
process.stdout.write(`${endpoint}\n`);
