// Token ids against those of Python's `tokenizers`, which tools/convert/tokenizer_oracle.py wrote into a folder:
//   node tools/dist/bench/tokenizer-parity.js <folder>
import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { TextTokenizer } from "@ragline/tokenizer";

const pairTokens = 48;
const shownDifferences = 5;

interface Tally {
  lines: number;
  tokens: number;
  seconds: number;
  different: number;
}

/** Reads the runs of ids that the oracle wrote: each is a count and as many int32. */
function readRuns(path: string): () => Int32Array {
  const bytes = readFileSync(path);
  const numbers = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let at = 0;
  return () => {
    const length = numbers[at] ?? 0;
    const run = numbers.subarray(at + 1, at + 1 + length);
    at += 1 + length;
    return run;
  };
}

const equal = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((id, i) => id === b[i]);

async function readLines(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) lines.push(JSON.parse(line) as string);
  return lines;
}

async function compare(folder: string, lines: readonly string[]): Promise<Tally> {
  const tokenizer = await TextTokenizer.open(join(folder, "tokenizer.json"));
  const next = readRuns(join(folder, "expected.bin"));
  const tally: Tally = { lines: lines.length, tokens: 0, seconds: 0, different: 0 };
  let shown = 0;
  lines.forEach((line, i) => {
    const following = lines[(i + 1) % lines.length] ?? "";
    const [single, longest, second] = [next(), next(), next()];
    const startedAt = performance.now();
    const ids = tokenizer.encode(line, Number.MAX_SAFE_INTEGER).ids;
    tally.seconds += (performance.now() - startedAt) / 1000;
    tally.tokens += ids.length;
    const checks: [string, Int32Array, Int32Array][] = [["alone", ids, single]];
    const pair = (truncation: "longest_first" | "only_second") =>
      tokenizer.encodePair(line, following, pairTokens, { truncation }).ids;
    checks.push(["as a pair, longest_first", pair("longest_first"), longest]);
    if (second.length > 0) checks.push(["as a pair, only_second", pair("only_second"), second]);
    for (const [what, found, expected] of checks) {
      if (equal(found, expected)) continue;
      tally.different++;
      if (shown++ < shownDifferences)
        process.stderr.write(`  line ${i} ${what}: ${JSON.stringify(line.slice(0, 80))}\n`);
    }
  });
  return tally;
}

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(join(folder, "lines.jsonl"))) {
  process.stderr.write("usage: node tools/dist/bench/tokenizer-parity.js <folder that tokenizer_oracle.py wrote>\n");
  process.exit(2);
}
const lines = await readLines(join(folder, "lines.jsonl"));
const kinds = readdirSync(folder).filter((kind) => existsSync(join(folder, kind, "expected.bin")));
for (const kind of kinds) {
  try {
    const { tokens, seconds, different } = await compare(join(folder, kind), lines);
    process.stdout.write(
      `${kind}: ${lines.length} lines, ${tokens} tokens, ${different} answers differ, ${Math.round(tokens / seconds)} tokens/s\n`,
    );
    if (different > 0) process.exitCode = 1;
  } catch (error) {
    process.stdout.write(`${kind}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
