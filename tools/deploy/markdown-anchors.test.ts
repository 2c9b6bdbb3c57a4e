import { expect, test } from "vitest";
import { brokenLink, markdownAnchors } from "./markdown-anchors.js";

test("anchors are those of GitHub, and code has none", () => {
  const text = "# What `up` means: 0, 1\n\n```sh\n# no heading\n```\n\n## Fünf_Sechs-Sieben ##\n";
  expect([...markdownAnchors(text)]).toEqual(["what-up-means-0-1", "fünf_sechs-sieben"]);
});

test("a link leads to a heading or is told", () => {
  expect(brokenLink("README.md#read-on")).toBeUndefined();
  expect(brokenLink("README.md#nothing")).toBe("README.md has no heading #nothing");
  expect(brokenLink("docs/nothing.md#x")).toBe("there is no file docs/nothing.md");
});
