import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { placeFile, removeStalePartials } from "@ragline/files";
import { expect, onTestFinished, test } from "vitest";
import { sha256File } from "./sha256-file.js";
import { StagedDirectory } from "./staged-directory.js";
import { temporaryDirectory } from "./temporary-directory.js";

async function stage(directory: StagedDirectory, name: string, content: string) {
  const file = await directory.create(name);
  await file.write(Buffer.from(content));
  return file.finish();
}

test("files appear under their names with the hash and size that were told, and nothing else is left", async () => {
  const out = join(temporaryDirectory(onTestFinished), "new", "out");
  const directory = await StagedDirectory.open(out);
  const file = await directory.create("big.bin");
  const hash = createHash("sha256");
  // Pieces below, at and above the size of the write buffer.
  for (const size of [1, 700_000, 2 ** 20 - 1, 0, 2 ** 20, 3_000_000, 17]) {
    const piece = Buffer.alloc(size, size % 251);
    hash.update(piece);
    await file.write(piece);
    piece.fill(0);
  }
  const output = await file.finish();
  await stage(directory, "scratch", "x");
  expect(readdirSync(out)).toEqual([expect.stringMatching(/^\.ragline-partial-/)]);
  await directory.place(["big.bin"]);
  await directory.close();
  expect(readdirSync(out)).toEqual(["big.bin"]);
  expect(output).toEqual({ name: "big.bin", bytes: statSync(join(out, "big.bin")).size, sha256: hash.digest("hex") });
  expect(await sha256File(join(out, "big.bin"))).toBe(output.sha256);
});

test("abort leaves nothing, not even the directories that were made for it", async () => {
  const root = temporaryDirectory(onTestFinished);
  const directory = await StagedDirectory.open(join(root, "a", "b"));
  await directory.create("x");
  await directory.abort();
  expect(readdirSync(root)).toEqual([]);
});

test("abort after files were placed brings back what they replaced and what was removed", async () => {
  const out = temporaryDirectory(onTestFinished);
  for (const name of ["old", "stale", "other"]) writeFileSync(join(out, name), name);
  const directory = await StagedDirectory.open(out);
  await stage(directory, "old", "new content");
  await stage(directory, "fresh", "fresh");
  await directory.place(["old", "fresh"], ["stale", "absent"]);
  expect(readFileSync(join(out, "old"), "utf8")).toBe("new content");
  expect(existsSync(join(out, "stale"))).toBe(false);
  await directory.abort();
  expect(readdirSync(out).toSorted()).toEqual(["old", "other", "stale"]);
  expect(readFileSync(join(out, "old"), "utf8")).toBe("old");
});

test("a directory in the way of a file is never replaced", async () => {
  const out = temporaryDirectory(onTestFinished);
  mkdirSync(join(out, "b"));
  writeFileSync(join(out, "b", "mine"), "mine");
  const directory = await StagedDirectory.open(out);
  await stage(directory, "a", "a");
  await stage(directory, "b", "b");
  await expect(directory.place(["a", "b"])).rejects.toThrow(/b is a directory/);
  await directory.abort();
  expect(readdirSync(out)).toEqual(["b"]);
  expect(readdirSync(join(out, "b"))).toEqual(["mine"]);
});

test.each([
  ["a file", (root: string) => join(root, "file"), /file cannot be made: a part of that path is a file/],
  ["below a file", (root: string) => join(root, "file", "out"), /a part of that path is a file/],
  // Linux lets nobody, not even root, make a directory there.
  ["not writable", () => "/proc/ragline-out", /ragline-out/],
])("an output directory that is %s is an error that says so", async (_, path, message) => {
  const root = temporaryDirectory(onTestFinished);
  writeFileSync(join(root, "file"), "");
  await expect(StagedDirectory.open(path(root))).rejects.toMatchObject({
    reason: "OUTPUT_UNUSABLE",
    message: expect.stringMatching(message),
  });
  expect(readdirSync(root)).toEqual(["file"]);
});

test.skipIf(!existsSync("/dev/full"))("a full disk is an error that says so", async () => {
  const out = temporaryDirectory(onTestFinished);
  const directory = await StagedDirectory.open(out);
  const [staging = ""] = readdirSync(out);
  symlinkSync("/dev/full", join(out, staging, "data"));
  const file = await directory.create("data");
  await file.write(Buffer.alloc(10));
  await expect(file.finish()).rejects.toMatchObject({
    reason: "DISK_FULL",
    message: expect.stringContaining(`${join(out, "data")} could not be written`),
  });
  await directory.abort();
  expect(readdirSync(out)).toEqual([]);
});

test("two runs cannot write to one directory at once, unless they say that it is shared", async () => {
  const out = temporaryDirectory(onTestFinished);
  const first = await StagedDirectory.open(out);
  await expect(StagedDirectory.open(out)).rejects.toThrow(/Another run is writing to/);
  const shared = await StagedDirectory.open(out, { exclusive: false });
  await Promise.all([first.abort(), shared.abort()]);
  const next = await StagedDirectory.open(out);
  await next.abort();
  expect(readdirSync(out)).toEqual([]);
});

test("what a killed process left is removed; what others are writing, and files of other names, stay", async () => {
  const out = temporaryDirectory(onTestFinished);
  const directory = await StagedDirectory.open(out);
  const [mine = ""] = readdirSync(out);
  const dead = mine.replace(`-${process.pid}-`, "-4194305-");
  const living = mine.replace(`-${process.pid}-`, "-1-");
  const elsewhere = mine.replace(/partial-[0-9a-f]{8}/, "partial-00000000");
  for (const name of [dead, living, elsewhere, ".ragline-partial-of-mine"]) mkdirSync(join(out, name));
  expect(await removeStalePartials(out)).toEqual([join(out, dead)]);
  expect(readdirSync(out).toSorted()).toEqual([mine, living, elsewhere, ".ragline-partial-of-mine"].toSorted());
  await directory.abort();
});

test("a file that is being placed is no other run", async () => {
  const out = temporaryDirectory(onTestFinished);
  await placeFile(join(out, "page.html"), async (partialPath) => {
    writeFileSync(partialPath, "whole");
    const run = await StagedDirectory.open(out);
    await run.abort();
  });
  expect(readdirSync(out)).toEqual(["page.html"]);
});
