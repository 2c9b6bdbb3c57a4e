import fc from "fast-check";
import { expect, test } from "vitest";
import { serdeFloat } from "./serde-float.js";

test.each([
  [-9.098250797669237, -9.098250797669236],
  [-11.060900530489352, -11.060900530489352],
  [0, 0],
  [-3, -3],
  [-1.5, -1.5],
  [1e21, 1e21],
])("%d is read as %d", (value, read) => {
  expect(serdeFloat(value)).toBe(read);
});

test("what is read is the number or one next to it", () => {
  fc.assert(
    fc.property(fc.double({ min: -100, max: -1e-6, noNaN: true }), (value) => {
      expect(Math.abs(serdeFloat(value) - value)).toBeLessThanOrEqual(2 * Math.abs(value) * Number.EPSILON);
    }),
  );
});
