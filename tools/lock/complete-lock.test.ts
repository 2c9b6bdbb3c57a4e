import { expect, test } from "vitest";
import { completeLock, missingOptionals, type PackageLock } from "./complete-lock.js";

const lock: PackageLock = {
  packages: {
    "": {},
    "node_modules/@x/tool": {
      version: "1.2.3",
      dev: true,
      optionalDependencies: {
        "@x/tool-darwin-arm64": "1.2.3",
        "@x/tool-linux-x64-musl": "1.2.3",
        "@x/tool-linux-x64-gnu": "1.2.3",
        "@x/tool-wasm32-wasi": "1.2.3",
      },
    },
    "node_modules/@x/tool-linux-x64-gnu": { version: "1.2.3", dev: true, optional: true, os: ["linux"], cpu: ["x64"] },
    "node_modules/zip": { version: "1.0.0" },
    "node_modules/zip/node_modules/nested": { version: "1.0.0", optionalDependencies: { near: "1.0.0", zip: "1.0.0" } },
    "node_modules/zip/node_modules/near": { version: "1.0.0", optional: true },
  },
};

test("finds what no node_modules on the way up holds", () => {
  const names = missingOptionals(lock).map(([, name]) => name);
  expect(names).toEqual(["@x/tool-darwin-arm64", "@x/tool-linux-x64-musl", "@x/tool-wasm32-wasi"]);
});

test("adds each with its platform, in npm's order, and then nothing is missing", () => {
  const { packages } = completeLock(lock);
  const added = { version: "1.2.3", dev: true, optional: true };
  expect(packages["node_modules/@x/tool-darwin-arm64"]).toEqual({ ...added, os: ["darwin"], cpu: ["arm64"] });
  expect(packages["node_modules/@x/tool-linux-x64-musl"]).toEqual({
    ...added,
    os: ["linux"],
    cpu: ["x64"],
    libc: ["musl"],
  });
  expect(packages["node_modules/@x/tool-wasm32-wasi"]).toEqual({ ...added, cpu: ["wasm32"] });
  expect(Object.keys(packages).slice(1, 4)).toEqual([
    "node_modules/@x/tool",
    "node_modules/@x/tool-darwin-arm64",
    "node_modules/@x/tool-linux-x64-gnu",
  ]);
  expect(missingOptionals({ packages })).toEqual([]);
});

test.each([
  ["fsevents", "2.3.3"],
  ["tool-darwin-arm64", "^1.0.0"],
])("does not guess about %s %s", (name, version) => {
  const guess = { packages: { "node_modules/a": { version: "1.0.0", optionalDependencies: { [name]: version } } } };
  expect(() => completeLock(guess)).toThrow(
    `node_modules/a wants ${name} ${version}, whose platform or version cannot be told: lock it by hand.`,
  );
});
