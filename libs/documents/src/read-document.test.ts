import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import iconv from "iconv-lite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseDocument, readDocument, SourceLocator } from "./index.js";

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ragline-read-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test("a file is decoded as it is, without its byte order mark", async () => {
  const document = await parseDocument("a/Notes.TXT", Buffer.from("\ufeffone\r\ntwo\r\n\r\nthree"));
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
  ["UTF-8 with one wrong byte", [...Buffer.from("größer als ä"), 0xff, 0x20], "invalid_utf8", "at byte offset 15"],
  ["bytes of no script", [0xff], "invalid_utf8", "at byte offset 0"],
  [
    "a legacy text with control characters",
    [...Buffer.from("plain words and "), 0xe9, 0x01],
    "binary",
    "control character",
  ],
  ["UTF-16 with a lone surrogate", [0xff, 0xfe, 0x3d, 0xd8, 0x61, 0x00], "invalid_utf16", "a lone surrogate"],
  ["UTF-16 that is cut off", [0xff, 0xfe, 0x61, 0x00, 0x62], "invalid_utf16", "cut off"],
  ["UTF-16 with a NUL", [0xff, 0xfe, 0x61, 0x00, 0x00, 0x00], "binary", "NUL character"],
])("%s is refused", async (_, content, reason, message) => {
  const bytes = typeof content === "string" ? Buffer.from(content) : Uint8Array.from(content);
  await expect(parseDocument("x.md", bytes)).rejects.toMatchObject({
    reason,
    message: expect.stringContaining(message),
  });
});

test("a kind without a reader is refused", async () => {
  await expect(parseDocument("x.png", Buffer.from("x"))).rejects.toThrow("x.png is a .png file, which cannot be read");
  await expect(parseDocument("Makefile", Buffer.from("x"))).rejects.toThrow("Makefile is a file without an extension");
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

test.each([
  ["utf-16le", "\ufeffGrüße 😀\nzwei"],
  ["utf-16be", "\ufeffGrüße 😀\nzwei"],
  ["windows-1252", "Der schnelle Fuchs läuft über die Straße – für Äpfel und Öl.\nzwei"],
  ["windows-1252", "un café"],
  ["windows-1251", "Это пример текста на русском языке для проверки кодировки.\nдва"],
  ["koi8-r", "Это пример текста на русском языке для проверки кодировки.\nдва"],
  ["shift_jis", "これは日本語の文章です。テストのために書きました。\nﾊﾝｶｸ two"],
  ["euc-jp", "これは日本語の文章です。テストのために書きました。\ntwo"],
  ["gb18030", "这是一个用于测试编码检测的中文句子。\ntwo"],
  ["big5", "這是一個用於測試編碼檢測的中文句子。\ntwo"],
  ["euc-kr", "이것은 인코딩 감지를 테스트하기 위한 한국어 문장입니다.\ntwo"],
])("%s is told and decoded, and every letter's bytes are known", async (encoding, content) => {
  const bytes = iconv.encode(content, encoding);
  const document = await parseDocument("x.txt", bytes);
  expect(document.encoding).toBe(encoding);
  expect(document.text).toBe(content.replace("\ufeff", ""));
  expect(document.sourceSpans.at(-1)?.end).toBe(bytes.length);
  const at = document.text.length - 3;
  expect(new SourceLocator(document).locate(at, at + 3)).toMatchObject({
    startByte: bytes.length - iconv.encode(content.slice(-3), encoding).length,
    endByte: bytes.length,
  });
});
