// `npm start`: installs and builds when needed, then runs the main job. It needs Node alone, so it works on a fresh clone.
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ensureBuilt } from "./build.mjs";
import { ensureInstalled } from "./installation.mjs";
import { assertNodeVersion } from "./node-version.mjs";
import { runMain } from "./setup-error.mjs";
import { startArguments } from "./start-arguments.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

await runMain(async () => {
  assertNodeVersion("20.20");
  await ensureInstalled(root);
  await ensureBuilt(root);
  // In this very process: signals and the exit code need no passing on.
  const ragline = join(root, "services", "orchestrator", "bin", "ragline.mjs");
  process.argv = [process.execPath, ragline, ...startArguments(process.argv.slice(2))];
  await import(pathToFileURL(ragline).href);
});
