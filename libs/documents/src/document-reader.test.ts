import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DocumentReader, type DocumentReaderOptions } from "./index.js";

let directory = "";
let reader = new DocumentReader();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ragline-reader-"));
});

afterEach(async () => {
  reader.close();
  await rm(directory, { recursive: true, force: true });
});

function start(options: DocumentReaderOptions): void {
  reader = new DocumentReader(options);
}

async function make(name: string, content: string): Promise<{ path: string }> {
  const path = join(directory, name);
  await writeFile(path, content);
  return { path };
}

/** The parser closes each open list in turn, which takes time that grows with the square of their number. */
const endless = "<ul><li>".repeat(400_000);

test("documents are the same in a process of their own, whatever is read beside them", async () => {
  start({ processes: 2 });
  const files = await Promise.all(
    Array.from({ length: 8 }, (_, i) => make(i % 2 ? `${i}.html` : `${i}.md`, `<h1>A${i}</h1>\n\n<p>text</p>`)),
  );
  const documents = await Promise.all(files.map((file) => reader.read(file)));
  expect(documents.map(({ relativePath, format }) => `${relativePath} ${format}`)).toEqual(
    files.map((_, i) => (i % 2 ? `${i}.html html` : `${i}.md markdown`)),
  );
  expect(documents[3]?.text).toBe("A3\n\ntext");
});

test("a file that takes too long is a typed error, and the others are read", async () => {
  // Long enough for a good file on a machine that has other things to do.
  start({ processes: 1, timeoutMs: 4000 });
  const [slow, good] = [await make("slow.html", endless), await make("good.html", "<p>good")];
  const both = await Promise.allSettled([reader.read(slow), reader.read(good)]);
  expect(both).toMatchObject([
    {
      reason: {
        reason: "timeout",
        message: expect.stringMatching(/slow\.html was not parsed within 4 s; split it/),
      },
    },
    { value: { text: "good" } },
  ]);
});

test("a parser that takes too much memory is ended alone", async () => {
  start({ processes: 1, memoryBytes: 16 * 1024 * 1024 });
  const file = await make("large.html", "<p>x".repeat(400_000));
  await expect(reader.read(file)).rejects.toMatchObject({
    reason: "out_of_memory",
    message: expect.stringContaining("needs more than 16 MiB"),
  });
  await expect(reader.read(await make("a.md", "still here"))).resolves.toMatchObject({ text: "still here" });
});

test("errors of a parser process are typed as those of this one", async () => {
  start({ processes: 1, maxBytes: 100 });
  await expect(reader.read(await make("big.html", "x".repeat(101)))).rejects.toMatchObject({ reason: "too_large" });
  await expect(reader.read(await make("nul.html", "a\0b"))).rejects.toMatchObject({ reason: "binary" });
  await expect(reader.read(await make("no.html", "<p> "))).rejects.toMatchObject({ reason: "empty" });
  await expect(reader.read({ path: join(directory, "gone.html") })).rejects.toMatchObject({ reason: "missing" });
});

test("an aborted signal and close end what is being parsed", async () => {
  const abort = new AbortController();
  start({ processes: 1, signal: abort.signal });
  const slow = reader.read(await make("slow.html", endless));
  setTimeout(() => abort.abort(new Error("interrupted")), 300);
  await expect(slow).rejects.toThrow("interrupted");
  start({ processes: 1 });
  const closed = reader.read(await make("slow.html", endless));
  setTimeout(() => reader.close(), 300);
  await expect(closed).rejects.toMatchObject({ reason: "crashed" });
});
