// Directories of files that were made to hold a reader, chunked by the command line: each costs one typed reason, the
// other files are done, and neither time nor memory runs away.
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { hasProcessUsage, peakResidentBytes } from "@ragline/processes";
import { startRagline } from "../bench/ragline-run.js";
import { fromRoot } from "../bench/run-benchmark.js";

const { values } = parseArgs({
  options: {
    // Of the largest file, in MiB.
    megabytes: { type: "string", default: "1024" },
    timeout: { type: "string", default: "20000" },
  },
});
const mebibyte = 2 ** 20;
const levels = 100_000;
const maxMebibytes = 3 * 1024;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const fixture = (name: string): Promise<Buffer> => readFile(fromRoot(`libs/documents/fixtures/${name}`));
const laughs = Array.from({ length: 12 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join("");
const form =
  "<< /Type /XObject /Subtype /Form /Resources << /XObject << /F 4 0 R >> >> /Length 4 >>\nstream\n/F Do\nendstream";
const looping = [
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Kids [3 0 R 2 0 R] /Count 9 >>",
  "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /F 4 0 R >> >> >>",
  form,
];

/** What each file is, and the outcomes that are right for it: a reason, or "read". */
const files: Readonly<Record<string, { readonly content: string | Uint8Array; readonly right: readonly string[] }>> = {
  "good.md": { content: "# Good\n\nThis one is read.\n", right: ["read"] },
  "good.docx": { content: await fixture("pandoc.docx"), right: ["read"] },
  "last.txt": { content: "The last one is read too.\n", right: ["read"] },
  "entities.xhtml.html": {
    content: `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">${laughs}]><p>&l12;</p>`,
    right: ["read"],
  },
  "loop.pdf": {
    content: `%PDF-1.4\n${looping.map((object, i) => `${i + 1} 0 obj\n${object}\nendobj\n`).join("")}trailer\n<< /Root 1 0 R >>\n`,
    right: ["empty", "unparsable"],
  },
  "lists.html": { content: `${"<ul><li>".repeat(levels)}deep`, right: ["read", "timeout", "out_of_memory"] },
  "lists.md": {
    content: Array.from({ length: 2000 }, (_, i) => `${" ".repeat(2 * i)}- item ${i}`).join("\n"),
    right: ["read"],
  },
  "quotes.md": { content: `${">".repeat(levels)} deep\n`, right: ["read"] },
  "nested.json": { content: "[".repeat(levels) + "]".repeat(levels), right: ["read"] },
  "nested.yaml": { content: "[".repeat(levels) + "]".repeat(levels), right: ["read", "timeout", "out_of_memory"] },
  "nested.py": {
    content: `x = ${"(".repeat(levels)}1${")".repeat(levels)}\n`,
    right: ["read", "timeout", "out_of_memory", "crashed"],
  },
  "heredocs.sh": { content: "((((((((((<<<<<{{{{[[[[".repeat(3000), right: ["read", "timeout"] },
  "fences.md": { content: `\`\`\`cpp\n${"a<b<c<d<".repeat(2000)}\n\`\`\`\n\n`.repeat(40), right: ["read"] },
  "encrypted.pdf": { content: await fixture("encrypted.pdf"), right: ["encrypted"] },
  "truncated.pdf": {
    content: (await fixture("reportlab.pdf")).subarray(0, 900),
    right: ["unparsable", "empty", "read"],
  },
  "truncated.docx": { content: (await fixture("pandoc.docx")).subarray(0, 4000), right: ["unparsable"] },
  "wrong-name.xlsx": { content: await fixture("reportlab.pdf"), right: ["unparsable"] },
  "nul.txt": { content: "a\0b", right: ["binary"] },
  "surrogate.md": { content: Uint8Array.of(0x61, 0xed, 0xa0, 0x80, 0x62), right: ["invalid_utf8"] },
  "surrogate.json": { content: '{"a": "\\ud800 alone"}', right: ["read"] },
  "surrogate.ipynb": { content: '{"cells":[{"cell_type":"markdown","source":"\\ud800 alone"}]}', right: ["read"] },
  "one-line.txt": { content: "lorem ipsum ".repeat(900_000), right: ["read"] },
};

/** Files of one sign that fill a disk but hardly take memory to make. */
async function fill(path: string, sign: string, megabytes: number): Promise<void> {
  const file = await open(path, "w");
  const block = Buffer.alloc(mebibyte, sign);
  for (let i = 0; i < megabytes; i++) await file.write(block);
  await file.close();
}

const folder = await mkdtemp(join(tmpdir(), "ragline-chaos-"));
const problems: string[] = [];
try {
  const input = join(folder, "input");
  await mkdir(input);
  for (const [name, { content }] of Object.entries(files)) await writeFile(join(input, name), content);
  const megabytes = Number(values.megabytes);
  await fill(join(input, "spaces.txt"), " ", megabytes);
  await fill(join(input, "spaces.html"), " ", 60);
  await fill(join(input, "letters.csv"), "x", 60);
  const right: Record<string, readonly string[]> = {
    ...Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file.right])),
    "spaces.txt": megabytes > 64 ? ["too_large"] : ["empty"],
    "spaces.html": ["empty"],
    "letters.csv": ["read", "timeout", "out_of_memory"],
  };
  const args = ["chunk", "--input", input, "--output-dir", join(folder, "out"), "--file-timeout", values.timeout];
  const startedAt = performance.now();
  const { child, ended } = startRagline("chunk", args);
  let peak = 0;
  const timer = setInterval(() => {
    if (child.pid !== undefined && hasProcessUsage()) peak = Math.max(peak, peakResidentBytes(child.pid) / mebibyte);
  }, 200);
  const { code, stdout } = await ended;
  clearInterval(timer);
  interface Summary {
    readonly documents: readonly { readonly path: string; readonly chunks: number }[];
    readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  }
  const { documents, skipped } = JSON.parse(stdout) as Summary;
  for (const [name, allowed] of Object.entries(right)) {
    const read = documents.find(({ path }) => path === name);
    const reason = skipped.find(({ path }) => path.endsWith(`/${name}`))?.reason;
    const outcome = read === undefined ? (reason ?? "nothing") : "read";
    say(`${name.padEnd(22)} ${outcome}${read === undefined ? "" : `, ${read.chunks} chunks`}`);
    if (!allowed.includes(outcome)) problems.push(`${name} is ${outcome}, not ${allowed.join(" or ")}`);
  }
  say(
    `exit code ${code}, ${((performance.now() - startedAt) / 1000).toFixed(0)} s, at most ${peak.toFixed(0)} MiB in ragline chunk itself`,
  );
  if (peak > maxMebibytes) problems.push(`${peak.toFixed(0)} MiB are more than ${maxMebibytes}`);
  if (code !== 0) problems.push(`the exit code is ${code}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
for (const problem of problems) say(`NOT MET: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;
