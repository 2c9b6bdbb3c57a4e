import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkBoundaries } from "./check-boundaries.js";
import { longFiles } from "./long-files.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ragline-boundaries-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A workspace that keeps every rule: two libraries, one above the other, and two services. */
const sound: Record<string, string> = {
  "package.json": manifest("workspace", {}, { vitest: "1.0.0" }),
  "libs/low/package.json": manifest("@ragline/low", {}),
  "libs/low/src/index.ts": `export { low } from "./low.js";\n`,
  "libs/low/src/low.ts": `import { join } from "node:path";\nexport const low = join("a", "b");\n`,
  "libs/low/src/low.test.ts": `import { test } from "vitest";\nimport { low } from "./index.js";\ntest(low, () => {});\n`,
  "libs/high/package.json": manifest("@ragline/high", { "@ragline/low": "1.0.0", zod: "1.0.0" }),
  "libs/high/src/index.ts": `import { low } from "@ragline/low";\nimport { z } from "zod/mini";\nexport const high = [low, z];\n`,
  "services/dense/package.json": manifest("@ragline/dense", { "@ragline/high": "1.0.0" }),
  "services/dense/src/main.ts": `import { high } from "@ragline/high";\nexport const dense = high;\n`,
  "services/sparse/package.json": manifest("@ragline/sparse", {}),
  "services/sparse/src/main.ts": "export const sparse = 1;\n",
};

function manifest(name: string, dependencies: Record<string, string>, devDependencies: Record<string, string> = {}) {
  return JSON.stringify({ name, dependencies, devDependencies });
}

function check(changes: Record<string, string>, allowed: Record<string, string> = {}): readonly string[] {
  for (const [path, text] of Object.entries({ ...sound, ...changes })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkBoundaries(root, allowed).violations;
}

test("finds nothing in a workspace that keeps the rules", () => {
  expect(check({})).toEqual([]);
  expect(checkBoundaries(root, {}).fileCount).toBe(6);
});

const lines401 = "// one line\n".repeat(401);

test.each<{ rule: string; changes: Record<string, string>; complaints: string[] }>([
  {
    rule: "a service imports a service",
    changes: {
      "services/dense/package.json": manifest("@ragline/dense", {
        "@ragline/high": "1.0.0",
        "@ragline/sparse": "1.0.0",
      }),
      "services/dense/src/extra.ts": `export { sparse } from "@ragline/sparse";\n`,
    },
    complaints: [
      "services/dense/src/extra.ts imports @ragline/sparse: a service never imports a service, it calls it over gRPC.",
    ],
  },
  {
    rule: "a library imports a service, if only for a type or dynamically",
    changes: {
      "libs/high/src/type.ts": `import type { sparse } from "@ragline/sparse";\nexport type Sparse = typeof sparse;\n`,
      "libs/high/src/dynamic.ts": `export const later = () => import("@ragline/sparse/src/main.js");\n`,
    },
    complaints: [
      "libs/high/src/dynamic.ts imports @ragline/sparse/src/main.js: a library never imports a service.",
      "libs/high/src/type.ts imports @ragline/sparse: a library never imports a service.",
    ],
  },
  {
    rule: "packages import each other",
    changes: {
      "libs/low/package.json": manifest("@ragline/low", { "@ragline/high": "1.0.0" }),
      "libs/low/src/up.ts": `import "@ragline/high";\n`,
    },
    complaints: ["Packages import each other in a circle: @ragline/high -> @ragline/low -> @ragline/high."],
  },
  {
    rule: "packages declare each other without an import",
    changes: { "libs/low/package.json": manifest("@ragline/low", { "@ragline/high": "1.0.0" }) },
    complaints: ["Packages import each other in a circle: @ragline/high -> @ragline/low -> @ragline/high."],
  },
  {
    rule: "files import each other",
    changes: {
      "libs/low/src/a.ts": `import { b } from "./deep/b.js";\nexport const a = () => b;\n`,
      "libs/low/src/deep/b.ts": `import { a } from "../a.js";\nexport const b = () => a;\n`,
    },
    complaints: [
      "Files import each other in a circle: libs/low/src/a.ts -> libs/low/src/deep/b.ts -> libs/low/src/a.ts.",
    ],
  },
  {
    rule: "an import goes below a package's name",
    changes: { "libs/high/src/deep.ts": `import "@ragline/low/src/low.js";\n` },
    complaints: [
      "libs/high/src/deep.ts imports @ragline/low/src/low.js: import @ragline/low itself, and let it export what is missing.",
    ],
  },
  {
    rule: "a relative import leaves its package",
    changes: { "libs/high/src/leave.ts": `import "../../low/src/low.js";\n` },
    complaints: [
      "libs/high/src/leave.ts imports ../../low/src/low.js, which leaves its package: import the other package by its name.",
    ],
  },
  {
    rule: "a built-in module without its prefix",
    changes: { "libs/high/src/files.ts": `import "fs";\n` },
    complaints: ["libs/high/src/files.ts imports fs: write node:fs."],
  },
  {
    rule: "everything is exported, under a name or not",
    changes: {
      "libs/high/src/all.ts": `export * from "@ragline/low";\n`,
      "libs/high/src/named.ts": `export * as low from "@ragline/low";\n`,
    },
    complaints: [
      `libs/high/src/all.ts has an "export *": name each export.`,
      `libs/high/src/named.ts has an "export *": name each export.`,
    ],
  },
  {
    rule: "a default export, in any of its spellings",
    changes: {
      "libs/low/src/a.ts": "export default 1;\n",
      "libs/low/src/b.ts": "const b = 1;\nexport { b as default };\n",
      "libs/low/src/c.ts": `export { low as default } from "./low.js";\n`,
    },
    complaints: ["a", "b", "c"].map((name) => `libs/low/src/${name}.ts has a default export: export it by name.`),
  },
  {
    rule: "a file of more than 400 lines",
    changes: { "libs/low/src/long.ts": lines401 },
    complaints: [
      "libs/low/src/long.ts has 401 lines, more than 400: split it, or list it with a reason in tools/boundaries/long-files.ts.",
    ],
  },
  {
    rule: "a dependency that is not declared",
    changes: { "services/sparse/src/undeclared.ts": `import "@ragline/low";\nimport "pino";\n` },
    complaints: ["@ragline/low", "pino"].map(
      (name) =>
        `services/sparse/src/undeclared.ts imports ${name}, which services/sparse/package.json does not declare: add it to its dependencies.`,
    ),
  },
  {
    rule: "a tests' dependency in what is no test",
    changes: { "libs/low/src/helper.ts": `import "vitest";\n` },
    complaints: [
      "libs/low/src/helper.ts imports vitest, which is declared for tests only: add it to the dependencies of libs/low/package.json.",
    ],
  },
])("complains when $rule", ({ changes, complaints }) => {
  expect(check(changes)).toEqual(complaints);
});

test("says where a file has a syntax error", () => {
  expect(check({ "libs/low/src/broken.ts": "export const = 1;\n" })).toEqual([
    expect.stringMatching(/^libs\/low\/src\/broken\.ts cannot be parsed: .+\.$/),
  ]);
});

test("a long file passes with a reason", () => {
  expect(check({ "libs/low/src/long.ts": lines401 }, { "libs/low/src/long.ts": "one table" })).toEqual([]);
});

test("a reason without a long file does not stay", () => {
  expect(check({}, { "libs/low/src/low.ts": "was long once" })).toEqual([
    "tools/boundaries/long-files.ts lists libs/low/src/low.ts, which is no file of more than 400 lines: remove it.",
  ]);
});

test("generated code may be as long as it is", () => {
  const changes = {
    "libs/contracts/package.json": manifest("@ragline/contracts", {}),
    "libs/contracts/src/generated/a_pb.ts": lines401,
  };
  expect(check(changes)).toEqual([]);
});

test("this repository keeps the rules", () => {
  const report = checkBoundaries(fileURLToPath(new URL("../..", import.meta.url)), longFiles);
  expect(report.violations).toEqual([]);
  expect(report.fileCount).toBeGreaterThan(10);
});
