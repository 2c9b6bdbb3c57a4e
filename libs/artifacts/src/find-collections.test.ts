import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findCollections } from "./find-collections.js";
import { temporaryDirectory } from "./temporary-directory.js";

function tree(paths: readonly string[]): string {
  const root = temporaryDirectory(onTestFinished);
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), "[]");
  }
  return root;
}

test("collections are the directories with chunk files, to depth 5, sorted", async () => {
  const root = tree([
    "zeta/b_chunks.json",
    "zeta/a_chunks.json",
    "zeta/notes.json",
    "alpha/deep/deeper/still/five/x_chunks.json",
    "alpha/deep/deeper/still/five/six/y_chunks.json",
    ".hidden/z_chunks.json",
    "empty/readme.md",
  ]);
  const found = await findCollections(root);
  expect(
    found.map(({ name, dir, files }) => [name, dir.slice(root.length + 1), files.map((file) => basename(file))]),
  ).toEqual([
    ["five", "alpha/deep/deeper/still/five", ["x_chunks.json"]],
    ["zeta", "zeta", ["a_chunks.json", "b_chunks.json"]],
  ]);
});

test("the root itself may be a collection, and same names are told apart by their paths", async () => {
  const root = tree(["r_chunks.json", "a/docs/1_chunks.json", "b/docs/2_chunks.json"]);
  const names = (await findCollections(root)).map(({ name }) => name);
  expect(names.toSorted()).toEqual(["a_docs", "b_docs", basename(root)].toSorted());
});

test("named collections are chosen without regard to case; unknown ones are an error that lists the valid", async () => {
  const root = tree(["Docs/1_chunks.json", "api/2_chunks.json"]);
  expect((await findCollections(root, ["docs"])).map(({ name }) => name)).toEqual(["Docs"]);
  await expect(findCollections(root, ["docs", "wiki"])).rejects.toThrow(/named wiki .*: Docs, api\./);
});

test.each([
  ["a missing directory", (root: string) => join(root, "nowhere"), /nowhere does not exist/],
  ["a file", (root: string) => join(root, "file.json"), /does not exist|is a file|not a directory/],
  ["a directory without chunk files", (root: string) => root, /has no collection/],
])("%s is an error that says so", async (_, path, message) => {
  const root = tree(["file.json"]);
  await expect(findCollections(path(root))).rejects.toThrow(message);
});
