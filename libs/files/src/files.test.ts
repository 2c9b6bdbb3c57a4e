import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeDirectories, placeFile, placeText } from "./index.js";

function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "ragline-files-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("directories are made with those above them, and the outermost new one is told", async () => {
  const out = temporaryDirectory();
  expect(await makeDirectories(join(out, "a", "b", "c"))).toBe(join(out, "a"));
  expect(statSync(join(out, "a", "b", "c")).isDirectory()).toBe(true);
  expect(await makeDirectories(join(out, "a", "b"))).toBeUndefined();
  expect(await makeDirectories(join(out, "a", "d"))).toBe(join(out, "a", "d"));
});

test("directories that several make at the same time are there for all of them", async () => {
  const out = temporaryDirectory();
  const paths = Array.from({ length: 20 }, (_, i) => join(out, "a", "b", "c", `d${i % 4}`, "e"));
  await Promise.all(paths.map((path) => makeDirectories(path)));
  for (const path of paths) expect(existsSync(path)).toBe(true);
});

test("no directory is made below a file or in its place", async () => {
  const out = temporaryDirectory();
  const file = join(out, "file");
  writeFileSync(file, "text");
  await expect(makeDirectories(file)).rejects.toThrow("EEXIST");
  await expect(makeDirectories(join(file, "a", "b"))).rejects.toThrow("EEXIST");
});

test.runIf(process.platform === "linux")("what cannot be made is refused at once, also below /proc", async () => {
  await expect(makeDirectories("/proc/ragline/below")).rejects.toThrow("ENOENT");
  await expect(placeText("/proc/ragline/page.html", "text")).rejects.toThrow("ENOENT");
});

test("a file appears whole or not at all, and what a killed process left of one is removed by the next file", async () => {
  const out = temporaryDirectory();
  const path = join(out, "below", "page.html");
  mkdirSync(join(out, "below"));
  let partial = "";
  await placeFile(path, async (partialPath) => {
    partial = partialPath;
    await placeText(join(out, "below", "other"), "beside");
    expect(existsSync(path)).toBe(false);
    writeFileSync(partialPath, "whole");
  });
  expect(readFileSync(path, "utf8")).toBe("whole");
  const failed = placeFile(path, async (partialPath) => {
    writeFileSync(partialPath, "ha");
    throw new Error("no more paper");
  });
  await expect(failed).rejects.toThrow("no more paper");
  expect(readFileSync(path, "utf8")).toBe("whole");
  expect(readdirSync(join(out, "below")).toSorted()).toEqual(["other", "page.html"]);

  const dead = partial.replace(`-${process.pid}-`, "-4194305-");
  writeFileSync(dead, "ha");
  await placeText(path, "anew");
  expect(existsSync(dead)).toBe(false);
  expect(readFileSync(path, "utf8")).toBe("anew");
});
