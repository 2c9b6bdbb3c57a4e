import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hubCacheDir, hubToken } from "./hub-settings.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ragline-hub-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

test.each<[object, Record<string, string>, string]>([
  [{}, {}, join(homedir(), ".cache", "huggingface", "hub")],
  [{}, { XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
  [{}, { HF_HOME: "/h", XDG_CACHE_HOME: "/x" }, "/h/hub"],
  [{}, { HF_HOME: "/h", HF_HUB_CACHE: "/c" }, "/c"],
  [{ home: "/own" }, { HF_HOME: "/h", HF_HUB_CACHE: "/c" }, "/own/hub"],
  [{ cacheDir: "/asked" }, { HF_HOME: "/h", HF_HUB_CACHE: "/c" }, "/asked"],
])("asked for %j with %j, the cache is %s", (asked, env, expected) => {
  expect(hubCacheDir(asked, env)).toBe(expected);
});

test("a folder that was asked for may be the cache or what holds it", () => {
  mkdirSync(join(folder, "hub"));
  expect(hubCacheDir({ cacheDir: folder }, {})).toBe(join(folder, "hub"));
  mkdirSync(join(folder, "models--a--b"));
  expect(hubCacheDir({ cacheDir: folder }, {})).toBe(folder);
});

test("the token is the variable's, else that of the login", () => {
  expect(hubToken(folder, {})).toBeUndefined();
  writeFileSync(join(folder, "token"), "hf_file\n");
  expect(hubToken(folder, {})).toBe("hf_file");
  expect(hubToken(null, { HF_HOME: folder })).toBe("hf_file");
  expect(hubToken(folder, { HF_TOKEN: " hf_variable " })).toBe("hf_variable");
  expect(hubToken(folder, { HF_TOKEN_PATH: join(folder, "elsewhere") })).toBeUndefined();
  expect(() => hubToken(folder, { HF_TOKEN: "hf_se\ncret" })).toThrow(/^HF_TOKEN holds characters that no token has$/);
});
