import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkManifests } from "./check-manifests.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ragline-manifests-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const base = { version: "0.1.0", license: "Apache-2.0" };

function check(changes: Record<string, object>): readonly string[] {
  const manifests: Record<string, object> = {
    "package.json": { ...base, name: "workspace", devDependencies: { vitest: "4.1.12" } },
    "libs/a/package.json": { ...base, name: "@ragline/a", dependencies: { zod: "4.6.7-rc.1" } },
    "services/s/package.json": {
      ...base,
      name: "@ragline/s",
      dependencies: { "@ragline/a": "0.1.0", zod: "4.6.7-rc.1" },
    },
    "tools/package.json": { ...base, name: "@ragline/tools" },
    ...changes,
  };
  for (const [path, manifest] of Object.entries(manifests)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify(manifest));
  }
  return checkManifests(root).violations;
}

test.each<{ rule: string; changes: Record<string, object>; complaints: string[] }>([
  { rule: "nothing is wrong", changes: {}, complaints: [] },
  {
    rule: "a licence is missing",
    changes: { "tools/package.json": { name: "@ragline/tools", version: "0.1.0" } },
    complaints: [`tools/package.json states no licence: add "license".`],
  },
  {
    rule: "a licence is another one",
    changes: { "tools/package.json": { ...base, name: "@ragline/tools", license: "MIT" } },
    complaints: ["tools/package.json states the licence MIT, the root's package.json Apache-2.0."],
  },
  {
    rule: "a version is a range or a tag",
    changes: {
      "tools/package.json": {
        ...base,
        name: "@ragline/tools",
        devDependencies: { pino: "^1.2.3" },
        peerDependencies: { nx: "latest" },
      },
    },
    complaints: [
      "tools/package.json asks for pino ^1.2.3: pin one exact version.",
      "tools/package.json asks for nx latest: pin one exact version.",
    ],
  },
  {
    rule: "versions differ",
    changes: { "tools/package.json": { ...base, name: "@ragline/tools", optionalDependencies: { vitest: "4.1.11" } } },
    complaints: ["tools/package.json asks for vitest 4.1.11, package.json for 4.1.12: use one version everywhere."],
  },
  {
    rule: "a workspace package is asked for in another version",
    changes: { "libs/a/package.json": { ...base, name: "@ragline/a", version: "0.2.0" } },
    complaints: ["services/s/package.json asks for @ragline/a 0.1.0, but the workspace's version is 0.2.0."],
  },
])("when $rule", ({ changes, complaints }) => {
  expect(check(changes)).toEqual(complaints);
});

test("this repository's package.json files are in order", () => {
  const report = checkManifests(fileURLToPath(new URL("../..", import.meta.url)));
  expect(report.violations).toEqual([]);
  expect(report.manifestCount).toBeGreaterThan(15);
});
