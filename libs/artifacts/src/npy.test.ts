import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { toFloat32Bytes } from "@ragline/vectors";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { faissFlatIpHeader } from "./faiss.js";
import { npyHeader, readNpy, readNpyHeader } from "./npy.js";
import { temporaryDirectory } from "./temporary-directory.js";

function npyFile(content: Uint8Array): string {
  const path = join(temporaryDirectory(onTestFinished), "x.npy");
  writeFileSync(path, content);
  return path;
}

test("the .npy header is that of numpy.save", () => {
  // numpy 2.4: numpy.save(f, numpy.zeros((3, 384), "float32"))
  const expected =
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsIDM4NCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo=";
  expect(npyHeader(3, 384).toString("latin1")).toBe(Buffer.from(expected, "base64").toString("latin1"));
  for (const [rows, columns] of [
    [0, 1],
    [738, 384],
    [10 ** 9, 4096],
  ] as const)
    expect(npyHeader(rows, columns).length % 64).toBe(0);
});

test("the FAISS header is that of faiss.write_index", () => {
  // faiss-cpu 1.15: IndexFlatIP(4) with 2 vectors
  expect(faissFlatIpHeader(2, 4).toString("hex")).toBe(
    "497846490400000002000000000000000000100000000000000010000000000001000000000800000000000000",
  );
});

test("a matrix of any shape reads back in blocks of any size", async () => {
  const matrix = fc
    .record({ rows: fc.nat(9), columns: fc.integer({ min: 1, max: 5 }) })
    .chain(({ rows, columns }) =>
      fc
        .float32Array({ minLength: rows * columns, maxLength: rows * columns })
        .map((values) => ({ rows, columns, values })),
    );
  await fc.assert(
    fc.asyncProperty(matrix, fc.integer({ min: 1, max: 100 }), async ({ rows, columns, values }, maxBlockBytes) => {
      const path = npyFile(Buffer.concat([npyHeader(rows, columns), toFloat32Bytes(values)]));
      expect(await readNpyHeader(path)).toMatchObject({ rows, columns });
      let next = 0;
      const read = new Float32Array(rows * columns);
      for await (const block of readNpy(path, maxBlockBytes)) {
        expect(block.firstIndex).toBe(next);
        expect(block.values.length).toBeLessThanOrEqual(Math.max(columns, maxBlockBytes / 4));
        read.set(block.values, block.firstIndex * columns);
        next += block.values.length / block.columns;
      }
      expect(next).toBe(rows);
      expect(toFloat32Bytes(read)).toEqual(toFloat32Bytes(values));
    }),
    { numRuns: 100 },
  );
});

const good = Buffer.concat([npyHeader(2, 3), Buffer.alloc(24)]);
const edited = (from: string, to: string) => Buffer.from(good.toString("latin1").replace(from, to), "latin1");

test.each<[string, Uint8Array, RegExp]>([
  ["an empty file", Buffer.alloc(0), /has 0 bytes/],
  ["another format", Buffer.from("PK\x03\x04 not an array"), /is not a .npy file/],
  ["float64", edited("<f4", "<f8"), /holds <f8/],
  ["big-endian float32", edited("<f4", ">f4"), /holds >f4/],
  ["column order", edited("False", "True "), /column order/],
  ["a vector", edited("(2, 3)", "(6,)  "), /has the shape \(6,\)/],
  ["a cut header", good.subarray(0, 40), /middle of its header/],
  ["cut values", good.subarray(0, good.length - 1), /has 151 bytes, but a \(2, 3\) float32 matrix takes 152/],
  ["bytes too many", Buffer.concat([good, Buffer.alloc(4)]), /has 156 bytes/],
])("%s is refused with a sentence", async (_, content, message) => {
  await expect(readNpyHeader(npyFile(content))).rejects.toThrow(message);
});

test("a missing file is an error that names it", async () => {
  await expect(readNpy(join(temporaryDirectory(onTestFinished), "gone.npy")).next()).rejects.toThrow(
    /gone.npy does not exist/,
  );
});
