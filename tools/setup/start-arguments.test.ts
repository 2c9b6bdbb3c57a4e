import { expect, test } from "vitest";
import { startArguments } from "./start-arguments.mjs";

const input = ["--input", "docs"];
const output = ["--output-dir", "ragline-out"];

test.each<[given: string[], expected: string[]]>([
  [[], ["run", ...input, ...output]],
  [["--disable-rerank"], ["run", ...input, ...output, "--disable-rerank"]],
  [
    ["--input", "a", "b"],
    ["run", ...output, "--input", "a", "b"],
  ],
  [["--input=a"], ["run", ...output, "--input=a"]],
  [
    ["--collections", "a", "--chunked-dir", "c"],
    ["run", ...output, "--collections", "a", "--chunked-dir", "c"],
  ],
  [
    ["--chunked-dir", "c", "--output-dir", "o"],
    ["run", "--chunked-dir", "c", "--output-dir", "o"],
  ],
  [["--output-dir=o"], ["run", ...input, "--output-dir=o"]],
  [["--input-like"], ["run", ...input, ...output, "--input-like"]],
])("npm start -- %j runs ragline %j", (given, expected) => {
  expect(startArguments(given)).toEqual(expected);
});
