import fc from "fast-check";
import { expect, test } from "vitest";
import { maxFloat32TextBytes, writeFloat32, writeUint } from "./float32-text.js";

const bytes = Buffer.alloc(maxFloat32TextBytes + 8, "#");
const textOf = (value: number, write = writeFloat32) => bytes.toString("latin1", 3, write(bytes, 3, value));

/** The shortest of JavaScript's own texts that reads back: slow, and plainly right. */
function shortest(value: number): string {
  for (let precision = 1; precision <= 9; precision++) {
    const text = String(Number(value.toPrecision(precision)));
    if (Math.fround(Number(text)) === value) return text;
  }
  throw new Error(`nine digits do not hold ${value}`);
}

const significant = (text: string) =>
  text.replace(/e.*/, "").replace(/[-.]/g, "").replace(/^0+/, "").replace(/0+$/, "").length;

test.each([
  [0, "0"],
  [-0, "-0.0"],
  [1, "1"],
  [-1, "-1"],
  [0.5, "0.5"],
  [0.1, "0.1"],
  [-0.3, "-0.3"],
  [1 / 3, "0.33333334"],
  [0.012345678, "0.012345678"],
  [10, "10"],
  [999999.9, "999999.9"],
  [1e6, "1000000"],
  [16777216, "16777216"],
  [1e-6, "0.000001"],
  [1e-7, "1e-7"],
  [1.17549435e-38, "1.1754944e-38"],
  [1e-45, "1e-45"],
  [3.4028234663852886e38, "3.4028235e+38"],
])("float32 of %d is %s", (value, text) => {
  expect(textOf(value)).toBe(text);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e39])("%d is refused", (value) => {
  expect(() => textOf(value)).toThrow(RangeError);
});

test("every float32 reads back as itself, in as few digits as can be", () => {
  const embedding = fc.float({ min: -1, max: 1, noNaN: true });
  const any = fc.float({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.oneof(embedding, any), (value) => {
      const text = textOf(value);
      expect(Math.fround(Number(text))).toBe(value);
      expect(JSON.parse(text)).toBe(Number(text));
      // At a power of two the gap below is half the gap above, and one digit more is allowed.
      const slack = Number.isInteger(Math.log2(Math.abs(value))) ? 1 : 0;
      expect(significant(text)).toBeLessThanOrEqual(significant(shortest(value)) + slack);
    }),
    { numRuns: 20_000 },
  );
});

test("unsigned integers are written in decimal", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => textOf(value, writeUint) === String(value)),
  );
});
