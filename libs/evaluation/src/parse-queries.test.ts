import { expect, test } from "vitest";
import { parseQueries, QueryFileError } from "./index.js";

test.each([
  [
    "plain lines",
    "q.txt",
    "how to\n\n  export \r\n",
    [
      { id: "1", text: "how to" },
      { id: "3", text: "export" },
    ],
  ],
  [
    "BEIR lines",
    "q.jsonl",
    '{"_id": "a", "text": " x "}\n\n{"_id": "b", "text": "y", "metadata": {}}\n',
    [
      { id: "a", text: "x" },
      { id: "b", text: "y" },
    ],
  ],
  ["BEIR lines by content", "q.txt", '\n{"_id": "a", "text": "x"}', [{ id: "a", text: "x" }]],
  ["a byte order mark", "q.txt", "\uFEFFx", [{ id: "1", text: "x" }]],
])("%s are read", (_, name, text, expected) => {
  expect(parseQueries(text, name)).toEqual(expected);
});

test.each([
  ["no query", "q.txt", " \n\n", undefined, "no query"],
  ["broken JSON", "q.jsonl", '{"_id": "a", "text": "x"}\n{"_id"', 2, "valid JSON"],
  ["an array", "q.jsonl", "[]", 1, '"_id"'],
  ["null", "q.jsonl", "null", 1, '"_id"'],
  ["no _id", "q.jsonl", '{"text": "x"}', 1, '"_id"'],
  ["a blank text", "q.jsonl", '\n{"_id": "a", "text": " "}', 2, '"text"'],
  ["an _id twice", "q.jsonl", '{"_id": "a", "text": "x"}\n\n{"_id": "a", "text": "y"}', 3, "line 1"],
  ["binary content", "q.txt", "x\n\0\u0001", 2, "not text"],
])("a file with %s is refused with its line", (_, name, text, line, message) => {
  const parse = () => parseQueries(text, name);
  expect(parse).toThrow(QueryFileError);
  expect(parse).toThrow(message);
  expect(parse).toThrow(line === undefined ? name : `${name}, line ${line}:`);
});
