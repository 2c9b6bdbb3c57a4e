import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const reporter = fileURLToPath(new URL("./closing-line-reporter.ts", import.meta.url));

test.each([
  {
    name: "counts each test once",
    files: { "a.test.ts": "test('a', () => {}); test.skip('b', () => {}); test('c', () => expect(1).toBe(2));" },
    line: "1 passed, 1 failed, 1 skipped",
  },
  {
    name: "counts a file that does not load",
    files: { "a.test.ts": "test('a', () => {});", "b.test.ts": "throw new Error('no');" },
    line: "1 passed, 1 failed, 0 skipped",
  },
  {
    name: "counts an error outside any test",
    files: { "a.test.ts": "test('a', () => { Promise.reject(new Error('nobody waits')); });" },
    line: "1 passed, 1 failed, 0 skipped",
  },
])("a run ends with one plain line: $name", ({ files, line }) => {
  const root = mkdtempSync(join(tmpdir(), "ragline-reporter-"));
  try {
    const config = `import { ClosingLineReporter } from ${JSON.stringify(reporter)};
      export default { test: { globals: true, reporters: ["default", new ClosingLineReporter()] } };`;
    for (const [name, text] of Object.entries({ ...files, "vitest.config.ts": config })) {
      writeFileSync(join(root, name), text);
    }
    const { stdout, status } = spawnSync(process.execPath, [vitest, "run", "--root", root], { encoding: "utf8" });
    expect(stdout.split("\n").slice(-2)).toEqual([line, ""]);
    expect(status).toBe(1);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
