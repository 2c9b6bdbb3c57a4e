import { expect, test } from "vitest";
import { parseDocument } from "../index.js";

/** The text cut at its breaks, each piece with the level of the break before it. */
async function pieces(name: string, source: string, maxLevel = 9): Promise<string[]> {
  const { text, blocks } = await parseDocument(name, Buffer.from(source));
  expect(text).toBe(source);
  const [block] = blocks;
  expect(blocks).toHaveLength(1);
  const breaks = (block?.breaks ?? []).filter(({ level }) => level <= maxLevel);
  const starts = [{ at: block?.start ?? 0, level: 0 }, ...breaks];
  return starts.map(({ at, level }, i) => `${level}: ${text.slice(at, starts[i + 1]?.at ?? block?.end).trimEnd()}`);
}

test("statements are cut apart, comments and decorators stay with theirs", async () => {
  const source = `import a

# about f
@cached
def f(x):
    """doc
    string"""
    if x:
        return 1

    # else two
    return 2


class C:
    y = 1

    def g(self):
        pass
`;
  expect(await pieces("a.py", source)).toEqual([
    "0: import a",
    "0: # about f\n@cached\ndef f(x):",
    '1:     """doc\n    string"""',
    "1:     if x:",
    "2:         return 1",
    "1:     # else two\n    return 2",
    "0: class C:",
    "1:     y = 1",
    "1:     def g(self):",
    "2:         pass",
  ]);
});

test.each([
  ["a.js", "const a = 1;\nfunction f() {\n  return a;\n}\n", ["const a = 1;", "function f() {\n  return a;\n}"]],
  [
    "a.ts",
    "type A = { b: 1 };\n\nexport class C {\n  x = 1;\n}\n",
    ["type A = { b: 1 };", "export class C {\n  x = 1;\n}"],
  ],
  ["a.tsx", "const a = <b>x</b>;\nf();", ["const a = <b>x</b>;", "f();"]],
  [
    "A.java",
    "package p;\n/** doc */\nclass A {\n  int f() { return 1; }\n}",
    ["package p;", "/** doc */\nclass A {\n  int f() { return 1; }\n}"],
  ],
  ["a.go", "package a\n\n// F\nfunc F() {\n\treturn\n}\n", ["package a", "// F\nfunc F() {\n\treturn\n}"]],
  ["a.rs", "use a;\n#[test]\nfn f() {\n  g();\n}", ["use a;", "#[test]\nfn f() {\n  g();\n}"]],
  ["a.c", "#include <a.h>\nint f(void) {\n  return 1;\n}\n", ["#include <a.h>", "int f(void) {\n  return 1;\n}"]],
  ["a.h", "int f(void);\nint g(int class);\n", ["int f(void);", "int g(int class);"]],
  ["a.cpp", "namespace n {\nint a;\n}\nint b;", ["namespace n {\nint a;\n}", "int b;"]],
  ["a.cs", "using A;\nclass B {\n  int C;\n}", ["using A;", "class B {\n  int C;\n}"]],
  ["a.rb", "require 'a'\ndef f\n  1\nend\n", ["require 'a'", "def f\n  1\nend"]],
  ["a.sh", "#!/bin/sh\nset -e\nif x; then\n  echo y\nfi\n", ["#!/bin/sh\nset -e", "if x; then\n  echo y\nfi"]],
  [
    "a.sql",
    "-- one\nSELECT ';' FROM a;\n\nCREATE FUNCTION f() AS $$ begin; end; $$;\n-- three\n\nSELECT 1",
    ["-- one\nSELECT ';' FROM a;", "CREATE FUNCTION f() AS $$ begin; end; $$;", "-- three", "SELECT 1"],
  ],
])("the statements of %s", async (name, source, statements) => {
  expect(await pieces(name, source, 0)).toEqual(statements.map((statement) => `0: ${statement}`));
});

test.each([
  ["parentheses", "a.py", `x = ${"(".repeat(50_000)}\n`],
  ["blocks", "a.js", "{\n".repeat(20_000)],
  ["functions", "a.py", Array.from({ length: 500 }, (_, i) => `${" ".repeat(i)}def f():\n`).join("")],
  ["no code at all", "a.go", "\u0001 ´` ~ ☃\n\n".repeat(2000).replaceAll("\u0001", "?")],
])("%s without end are read", async (_, name, source) => {
  const { text } = await parseDocument(name, Buffer.from(source));
  expect(text).toBe(source);
});
