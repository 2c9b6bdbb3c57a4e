import fc from "fast-check";
import { expect, test } from "vitest";
import { fromFloat32Bytes, packSparse, toFloat32Bytes, unpackSparse } from "./index.js";

test("float32 bytes round trip at any alignment", () => {
  fc.assert(
    fc.property(fc.float32Array(), fc.integer({ min: 0, max: 7 }), (values, shift) => {
      const bytes = toFloat32Bytes(values);
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      expect(fromFloat32Bytes(moved.subarray(shift))).toEqual(values);
      expect(fromFloat32Bytes(Buffer.from(moved.buffer).subarray(shift))).toEqual(values);
    }),
  );
});

test("float32 bytes are little-endian", () => {
  expect([...toFloat32Bytes(Float32Array.of(1, -2))]).toEqual([0, 0, 128, 63, 0, 0, 0, 192]);
});

test("a length that is no multiple of 4 is refused", () => {
  expect(() => fromFloat32Bytes(new Uint8Array(5))).toThrow("5 bytes");
});

test("sparse rows round trip through a block", () => {
  const row = fc.uniqueArray(fc.nat(1000), { maxLength: 20 }).chain((ids) =>
    fc.float32Array({ minLength: ids.length, maxLength: ids.length, noNaN: true }).map((values) => ({
      indices: Uint32Array.from(ids.sort((a, b) => a - b)),
      values,
    })),
  );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 10 }), (rows) => {
      expect(unpackSparse(packSparse(7, rows))).toEqual(rows);
    }),
  );
});
