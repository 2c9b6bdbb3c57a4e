import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findDocuments } from "./index.js";

let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ragline-find-"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function make(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), "text");
  }
}

async function relativePaths(...inputs: string[]): Promise<string[]> {
  return (await findDocuments(inputs.map((input) => join(root, input)))).documents.map(
    ({ relativePath }) => relativePath,
  );
}

test("a directory is searched to any depth, in the order of code units", async () => {
  await make(
    "b.md",
    "a/z.txt",
    "a/B.HTML",
    "a.md",
    "Z.md",
    "é.md",
    ".hidden.md",
    ".git/x.md",
    "node_modules/p/readme.md",
    "x.png",
    "none",
  );
  const { documents, skipped } = await findDocuments([root]);
  expect(documents.map(({ relativePath }) => relativePath)).toEqual([
    "Z.md",
    "a.md",
    "a/B.HTML",
    "a/z.txt",
    "b.md",
    "é.md",
  ]);
  expect(documents[2]).toEqual({ path: join(root, "a/B.HTML"), relativePath: "a/B.HTML", extension: ".html" });
  expect(skipped.map(({ path, reason }) => [path, reason])).toEqual([
    [join(root, "none"), "unsupported"],
    [join(root, "x.png"), "unsupported"],
  ]);
  expect(skipped[1]?.message).toContain("is a .png file, which cannot be read; convert it to a kind that is");
});

test.each([
  [{}, ["a.md", "c/b.txt", "c/deep/d.md", "drafts/x.md"]],
  [{ include: ["*.md"] }, ["a.md", "c/deep/d.md", "drafts/x.md"]],
  [{ include: ["c/**"] }, ["c/b.txt", "c/deep/d.md"]],
  [{ include: ["./c/*.{txt,md}"] }, ["c/b.txt"]],
  [{ exclude: ["drafts"] }, ["a.md", "c/b.txt", "c/deep/d.md"]],
  [{ exclude: ["drafts/**", "c/deep/"] }, ["a.md", "c/b.txt"]],
  [{ include: ["*.md"], exclude: ["d.*"] }, ["a.md", "drafts/x.md"]],
])("the globs %j", async (globs, expected) => {
  await make("a.md", "c/b.txt", "c/deep/d.md", "drafts/x.md");
  const { documents } = await findDocuments([root], globs);
  expect(documents.map(({ relativePath }) => relativePath)).toEqual(expected);
});

test("what Git ignores is passed over and counted, an inner .gitignore overrules an outer one", async () => {
  await make("a.md", "build/b.md", "c/d.tmp.md", "c/keep.tmp.md", "c/out/e.md", "f.md");
  await writeFile(join(root, ".gitignore"), "build/\n*.tmp.md\n/f.md\n");
  await writeFile(join(root, "c/.gitignore"), "!keep.tmp.md\nout\n");
  const { documents, skipped, ignored } = await findDocuments([root]);
  expect(documents.map(({ relativePath }) => relativePath)).toEqual(["a.md", "c/keep.tmp.md"]);
  expect([skipped, ignored]).toEqual([[], 6]);
  const all = await findDocuments([root], { gitignore: false });
  expect(all.documents).toHaveLength(6);
  // What is named is read, whatever the rules above it say.
  const named = await findDocuments([join(root, "build"), join(root, "f.md")], { exclude: ["*"] });
  expect(named.documents.map(({ relativePath }) => relativePath)).toEqual(["f.md"]);
  expect((await findDocuments([join(root, "build")])).documents).toHaveLength(1);
});

test("the rules of the repository around hold, unless they ignore what is named", async () => {
  await make("repo/.git/HEAD", "repo/docs/a.md", "repo/docs/dist/b.md", "repo/dist/c.md", "repo/dist/deep/d.md");
  await writeFile(join(root, "repo/.gitignore"), "dist\n");
  expect(await relativePaths("repo/docs")).toEqual(["a.md"]);
  expect(await relativePaths("repo/dist")).toEqual(["c.md", "deep/d.md"]);
  expect(await relativePaths("repo/dist/deep")).toEqual(["d.md"]);
});

test("files that are named have their bare names", async () => {
  await make("a/x.md", "b/y.md");
  expect(await relativePaths("b/y.md", "a/x.md")).toEqual(["x.md", "y.md"]);
});

test("what is reached twice counts once; equal relative paths are told apart", async () => {
  await make("a/x.md", "b/x.md");
  expect(await relativePaths("a", "a/x.md", "b", "b")).toEqual(["3/x.md", "x.md"]);
});

test("links are followed, loops end, and a broken link is skipped", async () => {
  await make("a/x.md", "c/y.md");
  await symlink(join(root, "a"), join(root, "a/loop"));
  await symlink(join(root, "c"), join(root, "a/other"));
  await symlink(join(root, "gone.md"), join(root, "a/broken.md"));
  const { documents, skipped } = await findDocuments([join(root, "a")]);
  expect(documents.map(({ relativePath }) => relativePath)).toEqual(["other/y.md", "x.md"]);
  expect(skipped).toMatchObject([{ reason: "missing", message: expect.stringContaining("broken.md does not exist") }]);
});

test.each([
  ["gone", "missing", "does not exist; check the path"],
  ["picture.png", "unsupported", "is a .png file, which cannot be read"],
  ["file.md/inside.md", "unreadable", "cannot be read"],
])("input %s is refused", async (input, reason, message) => {
  await make("picture.png", "file.md");
  await expect(findDocuments([join(root, input)])).rejects.toMatchObject({
    reason,
    message: expect.stringContaining(message),
  });
});
