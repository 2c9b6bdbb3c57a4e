import { findModel, hasGraph, type VerifiedModel } from "@ragline/models";
import { expect, test } from "vitest";
import { callSharing } from "./model-graph.js";

function verified(name: string, precision: VerifiedModel["precision"]): VerifiedModel {
  const entry = findModel(name);
  if (!hasGraph(entry)) throw new Error(`${name} has no graph`);
  return { entry, precision, files: [], graphPath: "", graphBytes: 0, tokenizerPath: "" };
}

test.each([
  ["all-miniLM-l6", "fp32", "cpu", "same-length"],
  ["all-miniLM-l6", "fp32", "simulated", "same-length"],
  ["all-miniLM-l6", "fp32", "cuda", "any-length"],
  ["all-miniLM-l6", "fp16", "cuda", "any-length"],
  ["all-miniLM-l6", "int8", "cpu", "none"],
  ["all-miniLM-l6", "int8", "cuda", "none"],
  ["qa-minilm-l6-cross-encoder", "fp32", "cpu", "none"],
  ["qa-minilm-l6-cross-encoder", "fp32", "cuda", "any-length"],
] as const)("texts for %s in %s on %s share calls: %s", (name, precision, kind, sharing) => {
  expect(callSharing(verified(name, precision), kind)).toBe(sharing);
});
