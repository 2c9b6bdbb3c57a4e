import { expect, test } from "vitest";
import { parseDocument } from "../index.js";

const python = Array.from(
  { length: 6 },
  (_, i) => `def step_${i}(lamp):\n    lamp.trim()\n\n    return lamp.light(${i})\n`,
).join("\n");

/** The lines that the breaks of the first code of a document stand before, with their levels. */
async function breaksOf(name: string, source: string): Promise<string[]> {
  const { text, blocks } = await parseDocument(name, Buffer.from(source));
  const code = blocks.find(({ kind }) => kind === "code");
  return (code?.breaks ?? []).map(({ at, level }) => `${level} ${text.slice(at).split("\n")[0]}`);
}

const steps = (from: number): string[] =>
  Array.from({ length: 6 - from }, (_, i) => i + from).flatMap((i) => [
    ...(i === 0 ? [] : [`0 def step_${i}(lamp):`]),
    `1     lamp.trim()`,
    `1     return lamp.light(${i})`,
  ]);

test.each([
  ["python", "```python\n"],
  ["the extension of its files", '```py title="x.py"\n'],
  ["capitals", "~~~ Python\n"],
  ["attributes", "```python {.lines}\n"],
])("code in a fence of a known language may be cut between statements: %s", async (_, opening) => {
  expect(await breaksOf("a.md", `# A\n\n${opening}${python}${opening.slice(0, 3)}\n`)).toEqual(steps(0));
});

test("code cells of notebooks may be cut between statements", async () => {
  const notebook = {
    nbformat: 4,
    metadata: { language_info: { name: "python" } },
    cells: [{ cell_type: "code", source: python, outputs: [] }],
  };
  expect(await breaksOf("a.ipynb", JSON.stringify(notebook))).toEqual(steps(0));
});

test.each([
  ["no language", `\`\`\`\n${python}\`\`\``],
  ["one that is not known", `\`\`\`klingon\n${python}\`\`\``],
  ["a shell", `\`\`\`sh\n${"echo on\n".repeat(60)}\`\`\``],
  ["little code", "```python\na = 1\nb = 2\n```"],
  ["very much code", `\`\`\`python\n${"a = 1\n".repeat(4000)}\`\`\``],
  ["JSON that is none", `\`\`\`json\n${"{ ... }\n".repeat(60)}\`\`\``],
])("a fence with %s is cut between lines", async (_, source) => {
  expect(await breaksOf("a.md", source)).toEqual([]);
});

test("a fence that does not end is read to the end", async () => {
  expect(await breaksOf("a.md", `\`\`\`py\n${python}`)).toEqual(steps(0));
});
