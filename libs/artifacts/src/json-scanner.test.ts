import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonBytes } from "./json-bytes.js";
import { JsonScanner, NumberList } from "./json-scanner.js";

const scanner = (text: string): JsonScanner => new JsonScanner().start(Buffer.from(text));

test("numbers are those of JSON.parse, in every form that JSON has", () => {
  const list = new NumberList();
  const read = (text: string): number[] => {
    scanner(text).numbers(list);
    return [...list.values.subarray(0, list.length)];
  };
  expect(read("[0,-0,-0.0,1e3,1E-7,12345678901234567890,0.1234567890123456789012345,5e-324,1e400]")).toEqual([
    0,
    -0,
    -0,
    1000,
    1e-7,
    Number("12345678901234567890"),
    0.12345678901234568,
    5e-324,
    Number.POSITIVE_INFINITY,
  ]);
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 40 }), (numbers) => {
      const json = JSON.stringify(numbers);
      expect(read(json)).toEqual(JSON.parse(json));
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 40 }), (numbers) => {
      expect(read(new JsonBytes().floats(numbers).bytes.toString()).map(Math.fround)).toEqual(numbers);
    }),
  );
  expect(read(JSON.stringify(Array.from({ length: 5000 }, (_, i) => i)))).toHaveLength(5000);
});

test("a value ends where it ends, and only what JSON allows is one", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.stringify(value);
      const scan = scanner(`${json},"next"`);
      expect(scan.value().toString()).toBe(json);
      expect(scan.take(Buffer.from(',"next"'))).toBe(true);
    }),
  );
});

test.each([
  "",
  "[1,]",
  "[,1]",
  "[1",
  "[01]",
  "[1.]",
  "[.5]",
  "[+1]",
  "[NaN]",
  '["1]',
  '{"a"}',
  '{"a":1,}',
  '["\\x"]',
  '["\n"]',
  "[1 ]",
  "nul",
  `${"[".repeat(300)}`,
])("%j is refused with the place and what should be there", (text) => {
  expect(() => scanner(text).value()).toThrow(/where .* should be|nested deeper/);
});
