import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseDocument, readDocument } from "./index.js";

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ragline-read-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test("a file is decoded as it is, without its byte order mark", () => {
  const document = parseDocument("a/Notes.TXT", Buffer.from("\ufeffone\r\ntwo\r\n\r\nthree"));
  expect(document).toMatchObject({ relativePath: "a/Notes.TXT", extension: ".txt", format: "text", bytes: 20 });
  expect(document.text).toBe("one\r\ntwo\r\n\r\nthree");
  expect(document.blocks).toEqual([
    { kind: "paragraph", start: 0, end: 8 },
    { kind: "paragraph", start: 12, end: 17 },
  ]);
});

test.each([
  ["empty", "", "empty", "holds no text"],
  ["only a byte order mark", "\ufeff", "empty", "holds no text"],
  ["only white space", " \r\n\t", "empty", "holds no text"],
  ["a NUL byte", "ab\0c", "binary", "NUL byte at offset 2"],
  ["invalid UTF-8", [0x61, 0xc3, 0xa9, 0xff, 0x62], "invalid_utf8", "at byte offset 3"],
  ["a cut sequence", [0x61, 0xe2, 0x82], "invalid_utf8", "at byte offset 1"],
  ["an encoded surrogate", [0x61, 0x62, 0xed, 0xa0, 0x80], "invalid_utf8", "at byte offset 2"],
  ["UTF-16", [0xff, 0xfe, 0x61, 0x00], "invalid_utf8", "UTF-16"],
])("%s is refused", (_, content, reason, message) => {
  const bytes = typeof content === "string" ? Buffer.from(content) : Uint8Array.from(content);
  expect(() => parseDocument("x.md", bytes)).toThrow(
    expect.objectContaining({ reason, message: expect.stringContaining(message) }),
  );
});

test("a kind without a reader is refused", () => {
  expect(() => parseDocument("x.pdf", Buffer.from("x"))).toThrow("x.pdf is a .pdf file, which cannot be read");
  expect(() => parseDocument("Makefile", Buffer.from("x"))).toThrow("Makefile is a file without an extension");
});

test("a file over the limit is refused unread", async () => {
  const path = join(directory, "large.md");
  await writeFile(path, "x");
  await truncate(path, 200 * 1024 * 1024);
  await expect(readDocument({ path })).rejects.toMatchObject({
    reason: "too_large",
    message: expect.stringContaining("209715200 bytes"),
  });
  await expect(readDocument({ path: join(directory, "gone.md") })).rejects.toMatchObject({ reason: "missing" });
});

test("a named pipe is refused without waiting for its writer", async () => {
  const path = join(directory, "pipe.md");
  execFileSync("mkfifo", [path]);
  await expect(readDocument({ path })).rejects.toMatchObject({ reason: "unreadable" });
});
