import { expect, test } from "vitest";
import { parseEndpoints } from "./parse-endpoints.js";

test.each<[list: string[], expected: [string, string[]][]]>([
  [[], []],
  [["dense=a:1"], [["dense", ["a:1"]]]],
  [
    ["dense=a:1", "b:2", "sparse=c:1"],
    [
      ["dense", ["a:1", "b:2"]],
      ["sparse", ["c:1"]],
    ],
  ],
  [
    ["dense=a:1", "sparse=c:1", "dense=b:2"],
    [
      ["dense", ["a:1", "b:2"]],
      ["sparse", ["c:1"]],
    ],
  ],
  [["rerank=unix:/run/a=b.sock", "unix:/run/c.sock"], [["rerank", ["unix:/run/a=b.sock", "unix:/run/c.sock"]]]],
  [["dense=[::1]:50051", "[::1]:50052"], [["dense", ["[::1]:50051", "[::1]:50052"]]]],
  [
    ["dense=a:1", "sparse=a:1"],
    [
      ["dense", ["a:1"]],
      ["sparse", ["a:1"]],
    ],
  ],
])("%j", (list, expected) => {
  expect([...parseEndpoints(list)]).toEqual(expected);
});

test.each<[list: string[], message: RegExp]>([
  [["fusion=a:1"], /"fusion=a:1" is no endpoint; write <stage>=/],
  [["orchestrator=a:1"], /"orchestrator=a:1" is no endpoint/],
  [["a:1"], /"a:1" is no endpoint/],
  [["dense"], /"dense" is no endpoint/],
  [["dense=a"], /"dense=a" is no endpoint/],
  [["dense=a:1", "b"], /"b" is no endpoint/],
  [["dense=a:1", ""], /"" is no endpoint/],
  [["dense=a:1", "fusion=b:1"], /"fusion=b:1" is no endpoint/],
  [["dense=a:1", "b:2", "a:1"], /gives dense the address a:1 twice/],
  [["dense=a:1", "sparse=b:1", "dense=a:1"], /gives dense the address a:1 twice/],
  [["export=a:1", "b:1"], /names export twice; one service writes the files/],
])("%j is refused", (list, message) => {
  expect(() => parseEndpoints(list)).toThrow(message);
});
