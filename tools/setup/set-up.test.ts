// Runs the real scripts in a small repository of their own, with a program in npm's place that records its calls.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildIsCurrent, sourceStamp, writeStamp } from "./build.mjs";
import { installationIsCurrent } from "./installation.mjs";

const lock = {
  packages: {
    "": { name: "workspace" },
    "libs/a": { version: "0.1.0" },
    "node_modules/a": { link: true },
    "node_modules/b": { version: "2.0.0", integrity: "sha512-b" },
    "node_modules/other-platform": { version: "1.0.0", optional: true },
  },
};
const { "node_modules/other-platform": _, ...installedPackages } = lock.packages;

/** In npm's place: takes a moment, then installs or, told so, fails. */
const npmProgram = `
  import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
  appendFileSync("npm-calls", process.argv.slice(2).join(" ") + "\\n");
  await new Promise((resolve) => setTimeout(resolve, 300));
  if (process.env.NPM_FAILS) process.exit(9);
  mkdirSync("node_modules", { recursive: true });
  writeFileSync("node_modules/.package-lock.json", ${JSON.stringify(JSON.stringify({ packages: installedPackages }))});
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ragline-set-up-"));
  cpSync(fileURLToPath(new URL(".", import.meta.url)), join(root, "tools", "setup"), { recursive: true });
  write("package-lock.json", JSON.stringify(lock));
  for (const file of ["nx.json", "tsconfig.base.json"]) write(file, "{}");
  write("npm-cli.js", npmProgram);
  write("package.json", `{"type":"module"}`);
  write("libs/a/package.json", "{}");
  write("libs/a/tsconfig.json", "{}");
  write("libs/a/src/deep/index.ts", "export const a = 1;\n");
  write("libs/a/dist/.tsbuildinfo", "{}");
  mkdirSync(join(root, "services"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function install(packages: Record<string, object> = installedPackages): void {
  write("node_modules/.package-lock.json", JSON.stringify({ packages }));
}

function launch(script: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(root, "tools", "setup", script), ...args], {
    cwd: root,
    env: { ...process.env, npm_execpath: join(root, "npm-cli.js"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

test("an installation is current when it holds every locked package, optional ones apart", () => {
  expect(installationIsCurrent(root)).toBe(false); // nothing installed
  install();
  expect(installationIsCurrent(root)).toBe(true);
  install({ ...installedPackages, "node_modules/other-platform": { version: "0.9.0" } });
  expect(installationIsCurrent(root)).toBe(false);
  install({ ...installedPackages, "node_modules/b": { version: "2.0.0", integrity: "sha512-other" } });
  expect(installationIsCurrent(root)).toBe(false);
  const { "node_modules/b": __, ...withoutB } = installedPackages;
  install(withoutB);
  expect(installationIsCurrent(root)).toBe(false);
});

test("a build is current until a source changes, appears or goes, or the output goes", () => {
  expect(buildIsCurrent(root)).toBe(false); // no stamp
  const changes: (() => void)[] = [
    () => write("libs/a/src/deep/index.ts", "export const a = 22;\n"),
    () => utimesSync(join(root, "libs/a/package.json"), 1, 1),
    () => write("libs/a/src/more.ts", ""),
    () => rmSync(join(root, "libs/a/src/more.ts")),
    () => rmSync(join(root, "libs/a/dist"), { recursive: true }),
  ];
  for (const change of changes) {
    writeStamp(root, sourceStamp(root));
    expect(buildIsCurrent(root)).toBe(true);
    change();
    expect(buildIsCurrent(root)).toBe(false);
  }
});

test("npm start runs ragline with its arguments and ends with its exit code", async () => {
  install();
  writeStamp(root, sourceStamp(root));
  write(
    "services/orchestrator/bin/ragline.mjs",
    "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 3;",
  );
  const { code, output } = await finish(launch("start.mjs", ["--output-dir", "out", "--json"]));
  expect(output).toBe(`${JSON.stringify(["run", "--input", "docs", "--output-dir", "out", "--json"])}\n`);
  expect(code).toBe(3);
});

test("a signal reaches ragline, which decides how to end", async () => {
  install();
  writeStamp(root, sourceStamp(root));
  const program = `process.once("SIGINT", () => process.exit(130)); setInterval(() => {}, 1000); console.log("ready");`;
  write("services/orchestrator/bin/ragline.mjs", program);
  const child = launch("start.mjs", []);
  child.stdout?.once("data", () => child.kill("SIGINT"));
  expect((await finish(child)).code).toBe(130);
});

test("two at once install once, from the lock file and without install scripts", async () => {
  writeStamp(root, sourceStamp(root));
  write("services/orchestrator/bin/ragline.mjs", "");
  const ends = await Promise.all([finish(launch("start.mjs", [])), finish(launch("start.mjs", []))]);
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  expect(readFileSync(join(root, "npm-calls"), "utf8")).toMatch(/^ci --ignore-scripts [^\n]*\n$/);
  expect(existsSync(join(root, ".nx", "set-up.lock"))).toBe(false);
});

test("the lock of a process that died does not hold anybody up", async () => {
  const dead = spawn(process.execPath, ["--version"]);
  await once(dead, "close");
  write(".nx/set-up.lock", String(dead.pid));
  writeStamp(root, sourceStamp(root));
  write("services/orchestrator/bin/ragline.mjs", "");
  expect((await finish(launch("start.mjs", []))).code).toBe(0);
});

test("an installation that fails ends with a sentence and releases the lock", async () => {
  const { code, output } = await finish(launch("start.mjs", [], { NPM_FAILS: "1" }));
  expect(code).toBe(1);
  expect(output).toContain("Installing the dependencies failed: npm ci ended with code 9");
  expect(output).not.toContain("    at "); // no stack
  expect(existsSync(join(root, ".nx", "set-up.lock"))).toBe(false);
});

test("npm test runs every step though one fails, and fails", async () => {
  install();
  const steps = `
    export { formatResults } from "./results.mjs";
    export const selectSteps = () => [
      { name: "first", command: ["node", "--eval", "process.exit(5)"] },
      { name: "second", command: ["node", "--eval", "console.log('second ran')"] },
    ];`;
  cpSync(join(root, "tools/setup/test-steps.mjs"), join(root, "tools/setup/results.mjs"));
  write("tools/setup/test-steps.mjs", steps);
  const { code, output } = await finish(launch("test.mjs", []));
  expect(code).toBe(1);
  expect(output).toContain("second ran\n");
  expect(output).toMatch(/first +FAILED \(5\) +[\d.]+\nsecond +ok +[\d.]+\n\n1 of 2 steps failed: first\.\n$/);
});
