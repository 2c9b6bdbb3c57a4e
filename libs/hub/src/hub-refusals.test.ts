import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type HubRepository, LoopbackHub, sha256 } from "@ragline/loopback-hub";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HubProblem } from "./hub-error.js";
import { type PullOptions, pullFiles } from "./pull-files.js";

const repository = "someone/model";
const commit = "0123456789abcdef0123456789abcdef01234567";
const weights = Buffer.from("not really weights");
const root = "models--someone--model";

let hub: LoopbackHub;
let cacheDir: string;

beforeEach(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), "ragline-hub-"));
  hub = await LoopbackHub.start({ [repository]: { commit, files: { "model.onnx": weights, "config.json": "{}" } } });
});

afterEach(async () => {
  await hub.close();
  rmSync(cacheDir, { recursive: true, force: true });
});

const pull = (more: Partial<PullOptions> = {}) =>
  pullFiles({
    repository,
    revision: "main",
    files: [{ name: "model.onnx" }],
    endpoint: hub.endpoint,
    cacheDir,
    minBackoffMs: 1,
    retries: 2,
    ...more,
  });

async function expectRefused(more: Partial<PullOptions>, problem: HubProblem, message: RegExp): Promise<void> {
  await expect(pull(more)).rejects.toMatchObject({
    name: "HubError",
    problem,
    message: expect.stringMatching(message),
  });
}

/** Names of all files below the cache that are no locks. */
function everything(): string[] {
  return readdirSync(cacheDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

test.each(["../../evil.onnx", "/etc/evil.onnx", "a/../../evil.onnx", "C:\\evil.onnx", "a//evil.onnx", "a\0evil.onnx"])(
  "a file named %j is refused",
  async (name) => {
    await expectRefused({ files: [{ name }] }, "refused", /is no path below a repository$/);
    expect(hub.requests).toEqual([]);
  },
);

test.each(["model.zip", "pytorch_model.bin", "weights.pkl", "modeling.py", "model.safetensors", "model.onnx.exe"])(
  "%s is never fetched",
  async (name) => {
    await expectRefused({ files: [{ name }] }, "refused", /is never fetched; only files that end in \.onnx, /);
    expect(hub.requests).toEqual([]);
  },
);

test.each(["../evil", "a/b/c", "a/../b", "a--b/c", "", "a/b?x", "http://a/b"])(
  "a repository named %j is refused",
  async (name) => {
    await expectRefused({ repository: name }, "refused", /is no name of a repository$/);
  },
);

test.each<[string, Record<string, string | null>, RegExp]>([
  ["a content named as a path", { "x-linked-etag": '"../../evil"' }, /named "\.\.\/\.\.\/evil" as its content$/],
  ["a commit that is none", { "x-repo-commit": "../../evil" }, /named "\.\.\/\.\.\/evil" as commit$/],
  ["a file of 1 TB", { "x-linked-size": "1000000000000" }, /model\.onnx has 1\.0 TB; no file of more than 500 GB/],
  ["a size that is none", { "x-linked-size": "-1" }, /did not say how large it is$/],
  ["no commit", { "x-repo-commit": null }, /answered with something else, not as a hub does; check HF_ENDPOINT/],
])("%s is refused, and nothing is written", async (_what, headers, message) => {
  hub.headOverrides = headers;
  await expectRefused({}, "refused", message);
  expect(everything()).toEqual([]);
});

test("a login page in place of a model is refused, when asked for the file and when asked about it", async () => {
  hub.faults.push({ kind: "web-page" });
  await expectRefused({}, "refused", /model\.onnx: .*answered with a web page, not as a hub does; check HF_ENDPOINT/);
  hub.faults.push(undefined, { kind: "web-page" });
  await expectRefused({}, "refused", /model\.onnx: a web page came instead of the file; is a login/);
  expect(everything().filter((name) => !name.includes(".ragline"))).toEqual([]);
});

test.each<[string, Partial<HubRepository>, Partial<PullOptions>, HubProblem, RegExp]>([
  [
    "a file that is not there",
    {},
    { files: [{ name: "x.onnx" }] },
    "not_found",
    /x\.onnx: the repository has no such file/,
  ],
  ["a branch that is not there", {}, { revision: "dev" }, "not_found", /has no such revision/],
  [
    "a private repository",
    { token: "t" },
    {},
    "unauthorized",
    /no such repository, or a private one \(HF_TOKEN is not set/,
  ],
  ["a wrong token", { token: "t" }, { token: "other" }, "unauthorized", /\(HF_TOKEN was not accepted\)/],
  ["a gated repository", { gated: true }, { token: "t" }, "gated", /want their terms accepted on the model's page/],
])("%s is named", async (_what, more, options, problem, message) => {
  hub.repositories.set(repository, { commit, files: { "model.onnx": weights }, ...more });
  await expectRefused(options, problem, message);
});

test("a token goes to the hub alone, and into no message", async () => {
  hub.repositories.set(repository, {
    commit,
    files: { "model.onnx": weights, "config.json": "{}" },
    token: "hf_s3cr3t",
  });
  await pull({ token: "hf_s3cr3t", files: [{ name: "model.onnx" }, { name: "config.json" }] });
  const by = (host: string) => hub.requests.filter((request) => request.host === host);
  expect(by("hub").every(({ headers }) => headers.authorization === "Bearer hf_s3cr3t")).toBe(true);
  expect(by("storage")).toHaveLength(1);
  expect(by("storage")[0]?.headers.authorization).toBeUndefined();
  hub.repositories.delete(repository);
  const error: unknown = await pull({ token: "hf_s3cr3t", refresh: true }).catch((reason: unknown) => reason);
  expect(String(error)).not.toContain("hf_s3cr3t");
});

test("a token is not sent where others can read along", async () => {
  const endpoint = hub.endpoint.replace("127.0.0.1", "[::ffff:127.0.0.1]");
  await pull({ token: "hf_s3cr3t", endpoint });
  expect(hub.requests.length).toBeGreaterThan(0);
  expect(hub.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
});

test.each<[string, Partial<PullOptions>, RegExp]>([
  ["another size", { files: [{ name: "model.onnx", bytes: 5 }] }, /has 18 bytes on the hub, but 5 are pinned/],
  [
    "another hash",
    { files: [{ name: "model.onnx", sha256: sha256("x") }] },
    /has sha256 .* on the hub, but .* is pinned/,
  ],
  [
    "another hash of a small file",
    { files: [{ name: "config.json", sha256: sha256("x") }] },
    /is pinned; it was not kept/,
  ],
])("a file of %s than was pinned is refused, and nothing of it stays", async (_what, options, message) => {
  await expectRefused(options, "differs", message);
  expect(everything()).toEqual([]);
});

test("a commit that was pinned is not traded for another", async () => {
  hub.headOverrides = { "x-repo-commit": commit.replaceAll("0", "f") };
  await expectRefused({ revision: commit }, "differs", /commit 0123.* is pinned, but the hub answered with f123/);
});

test("bytes that are wrong each time are not kept", async () => {
  hub.faults.push(undefined, ...Array.from({ length: 3 }, () => ({ kind: "wrong-bytes" }) as const));
  await expectRefused({}, "damaged", /model\.onnx came 3 times with other bytes than the hub names/);
  expect(everything()).toEqual([]);
});

test("a hub that fails again and again is named, and so is one that wants to be left alone for long", async () => {
  hub.faults.push(...Array.from({ length: 3 }, () => ({ kind: "status", status: 503 }) as const));
  await expectRefused({}, "unreachable", /model\.onnx: it answered 503, again and again; try later/);
  hub.faults.splice(0, 3, { kind: "status", status: 429, headers: { "retry-after": "7200" } });
  await expectRefused({}, "unreachable", /the hub asks to wait 120 minutes/);
  await hub.close();
  await expectRefused(
    {},
    "unreachable",
    /127\.0\.0\.1:\d+ cannot be reached, again and again; check the network, a proxy that is set, and HF_ENDPOINT$/,
  );
});

test("without room on the disk nothing is fetched", async () => {
  await expectRefused(
    { freeBytes: async () => 17 },
    "disk_full",
    /someone\/model needs 18 bytes in .*, where 17 bytes are free; make room or choose another folder/,
  );
  expect(hub.requests.map(({ method }) => method)).toEqual(["HEAD"]);
});

test("a cache that cannot be written says where, and what to do", async () => {
  writeFileSync(join(cacheDir, "file"), "");
  await expectRefused(
    { cacheDir: join(cacheDir, "file", "hub") },
    "cannot_write",
    /^someone\/model: cannot read or write the cache .*\/file\/hub: EEXIST.*; choose another folder with --hf-cache-dir$/,
  );
  const snapshot = join(cacheDir, root, "snapshots", commit);
  mkdirSync(join(snapshot, "model.onnx"), { recursive: true });
  await expectRefused({ revision: commit }, "cannot_write", /EISDIR.*; choose another folder with --hf-cache-dir$/);
});

test.each([root, `${root}/blobs`, `${root}/snapshots`, `${root}/snapshots/${commit}`])(
  "a link at %s in place of a folder is refused",
  async (folder) => {
    const elsewhere = mkdtempSync(join(tmpdir(), "ragline-elsewhere-"));
    mkdirSync(dirname(join(cacheDir, folder)), { recursive: true });
    symlinkSync(elsewhere, join(cacheDir, folder));
    await expectRefused({}, "refused", /is a link; nothing is written there, remove it$/);
    expect(readdirSync(elsewhere)).toEqual([]);
    rmSync(elsewhere, { recursive: true });
  },
);

test("a link at the place where a file is collected is not followed", async () => {
  const victim = join(cacheDir, "victim");
  writeFileSync(victim, "precious");
  mkdirSync(join(cacheDir, root, "blobs"), { recursive: true });
  symlinkSync(victim, join(cacheDir, root, "blobs", `${sha256(weights)}.ragline`));
  await expectRefused({}, "cannot_write", /it is a link, which nobody should have put there$/);
});

test("a link out of the cache is not read", async () => {
  const snapshot = join(cacheDir, root, "snapshots", commit);
  mkdirSync(snapshot, { recursive: true });
  symlinkSync("/etc/hostname", join(snapshot, "model.onnx"));
  await expectRefused(
    { revision: commit },
    "refused",
    /is a link that leads out of the cache, to \/etc\/hostname; remove/,
  );
});

test("a file that was changed behind our back is named", async () => {
  const { files } = await pull();
  rmSync(join(cacheDir, root, "blobs", sha256(weights)));
  writeFileSync(join(cacheDir, root, "blobs", sha256(weights)), "other bytes");
  await expectRefused({}, "damaged", /is damaged: its bytes hash to sha256 .*; fetch it again with --refresh-cache/);
  const again = await pull({ refresh: true });
  expect(again.files[0]?.sha256).toBe(files[0]?.sha256);
});

test("an endpoint that is no address is refused", async () => {
  await expectRefused({ endpoint: "huggingface.co" }, "refused", /"huggingface\.co" is no address of a hub/);
  await expectRefused({ endpoint: "file:///etc" }, "refused", /is no address of a hub/);
});

test("a hub that leads to a place without encryption, or in circles, is not followed", async () => {
  hub.storageUrl = "ftp://127.0.0.1";
  await expectRefused({}, "refused", /leads to an address that is none$/);
  const location = `/${repository}/resolve/main/config.json`;
  hub.faults.push(
    ...Array.from({ length: 9 }, () => ({ kind: "status", status: 307, headers: { location } }) as const),
  );
  await expectRefused({ files: [{ name: "config.json" }] }, "refused", /config\.json leads in circles$/);
});
