// `npm test`: installs when needed, then runs every check and test, whatever fails. It needs Node alone, so it works on a
// fresh clone. `npm test -- lint tests` runs the named steps only.
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./installation.mjs";
import { assertNodeVersion } from "./node-version.mjs";
import { runCommand } from "./run-command.mjs";
import { runMain, SetupError } from "./setup-error.mjs";
import { formatResults, selectSteps } from "./test-steps.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

await runMain(async () => {
  assertNodeVersion("20.20");
  const steps = selectSteps(process.argv.slice(2));
  await ensureInstalled(root);
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => (interrupted = true));
  const results = [];
  for (const { name, command } of steps) {
    console.log(`\n== ${name}: ${command.join(" ")}`);
    const start = performance.now();
    const code = await runCommand(root, command);
    results.push({ name, code, seconds: (performance.now() - start) / 1000 });
    if (interrupted) throw new SetupError(`Interrupted in step ${name}.`, 130);
  }
  console.log(`\n${formatResults(results)}`);
  if (results.some(({ code }) => code !== 0)) process.exitCode = 1;
});
