import { findModel, hasGraph, verifyModel } from "@ragline/models";
import { expect, test } from "vitest";
import { BareLoop } from "./bare-loop.js";

const layout = { processes: 2, threads: 1, batchSize: 2, split: "dynamic" } as const;
const sequences = [5, 3, 9].map((length) => ({ ids: new Int32Array(length).fill(101), truncated: false }));

async function smallModel() {
  const entry = findModel("splade-tiny", "sparse");
  if (!hasGraph(entry)) throw new Error("the registry has changed");
  return verifyModel(entry, "fp32");
}

test("computes in several processes, and says so when a call fails", async () => {
  const model = await smallModel();
  const loop = await BareLoop.open(model, sequences, layout);
  try {
    expect(await loop.run()).toBeGreaterThan(0);
    await expect(loop.run([0, 7])).rejects.toThrow("bare-worker failed: RangeError: there is no text at position 7");
  } finally {
    loop.close();
  }
});

test("says why a session cannot be opened", async () => {
  const model = { ...(await smallModel()), graphPath: "/nowhere/model.onnx" };
  await expect(BareLoop.open(model, sequences, layout)).rejects.toThrow(/bare-worker failed: .*nowhere/);
});
