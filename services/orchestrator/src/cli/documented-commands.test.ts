import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const help = execFileSync(process.execPath, [fromRoot("services/orchestrator/bin/ragline.mjs"), "--help"], {
  encoding: "utf8",
});
const commands = [...help.matchAll(/^ {2}([a-z][a-z-]*)\b/gm)].map(([, name = ""]) => name).filter((n) => n !== "help");

test.each(["README.md", "docs/command-line.md"])("%s names every command of `ragline --help`", (path) => {
  const text = readFileSync(fromRoot(path), "utf8");
  expect(commands.length).toBeGreaterThan(10);
  // As code, on its own or behind the program's name.
  expect(commands.filter((name) => !new RegExp(`\`(ragline )?${name}\\b`).test(text))).toEqual([]);
});
