import { expect, test } from "vitest";
import { POINT_NAMESPACE, pointId, pointIds, uuidV5 } from "./point-id.js";

test("UUIDv5 is that of RFC 9562", () => {
  // Appendix A.4 of RFC 9562.
  expect(uuidV5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com")).toBe(
    "2ed6657d-e927-568b-95e1-2665a8aea6a2",
  );
});

test("ids never change: points that are uploaded already depend on them", () => {
  expect(POINT_NAMESPACE).toBe(uuidV5("6ba7b811-9dad-11d1-80b4-00c04fd430c8", "urn:ragline:point"));
  expect(pointId("docs", "hello")).toBe("e5500eea-a589-5ce9-b177-a3a099f5eac8");
  expect(pointId("docs", "hello", 2)).toBe("1bdc5e7b-83b3-54f9-a5d0-e5a01d603702");
});

test("an id depends on collection, text and occurrence", () => {
  const ids = [pointId("a", "x"), pointId("b", "x"), pointId("a", "y"), pointId("a", "x", 2), pointId("a", "x", 3)];
  expect(new Set(ids).size).toBe(ids.length);
});

test("repeated texts get distinct ids, the same on every run", () => {
  const texts = ["x", "y", "x", "", "x", "y"];
  const ids = texts.map(pointIds("docs"));
  expect(new Set(ids).size).toBe(texts.length);
  expect(ids).toEqual([1, 1, 2, 1, 3, 2].map((occurrence, i) => pointId("docs", texts[i] ?? "", occurrence)));
});
