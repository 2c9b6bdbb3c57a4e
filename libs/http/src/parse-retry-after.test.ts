import { expect, test } from "vitest";
import { parseRetryAfter } from "./parse-retry-after.js";

const now = Date.parse("Fri, 31 Dec 1999 23:59:50 GMT");

test.each([
  ["120", 120_000],
  ["1.5", 1500],
  ["-3", 0],
  ["Fri, 31 Dec 1999 23:59:59 GMT", 9000],
  ["Fri, 31 Dec 1998 23:59:59 GMT", 0],
  ["", undefined],
  ["soon", undefined],
])("Retry-After %j means %s ms", (header, ms) => {
  expect(parseRetryAfter(header, now)).toBe(ms);
});
