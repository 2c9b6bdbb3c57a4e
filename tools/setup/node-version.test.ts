import { expect, test } from "vitest";
import { assertNodeVersion } from "./node-version.mjs";

test.each(["20.20.0", "20.21.1", "22.0.0", "24.1.0"])("Node %s is new enough", (version) => {
  expect(() => assertNodeVersion("20.20", version)).not.toThrow();
});

test.each(["20.19.9", "18.99.0"])("Node %s is too old", (version) => {
  expect(() => assertNodeVersion("20.20", version)).toThrow(
    `Ragline needs Node 20.20 or newer, and this is Node ${version}. Install it from https://nodejs.org and run the command again.`,
  );
});
