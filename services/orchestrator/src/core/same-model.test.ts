import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Precision, StageReadySchema } from "@ragline/contracts";
import { expect, test } from "vitest";
import { assertSameModel } from "./same-model.js";

const files = [
  { name: "model.onnx", sha256: "aa" },
  { name: "tokenizer.json", sha256: "bb" },
];
const opened = (address: string, changed: MessageInitShape<typeof StageReadySchema> = {}) => ({
  address,
  ready: create(StageReadySchema, { model: "bge", precision: Precision.INT8, dimension: 384, files, ...changed }),
});

test("replicas may differ in what does not show in the results", () => {
  const other = opened("b:2", {
    device: "simulated:1",
    deviceKind: "simulated",
    workers: 9,
    leaseId: "7",
    files: files.toReversed(),
  });
  expect(() => assertSameModel(opened("a:1"), other)).not.toThrow();
});

test.each<[change: MessageInitShape<typeof StageReadySchema>, message: RegExp]>([
  [{ model: "mini" }, /a:1 and b:2 do not have the same model \(bge and mini\)/],
  [{ precision: Precision.FP32 }, /same precision \(int8 and fp32\).* set --precision/],
  [{ deviceKind: "cuda" }, /same kind of device \(cpu and cuda\).* on GPUs alone or on CPUs alone/],
  [{ dimension: 256 }, /same dimension \(384 and 256\)/],
  [{ files: [{ name: "model.onnx", sha256: "cc" }] }, /same model files/],
])("replicas that differ in %j are refused", (change, message) => {
  const check = () => assertSameModel(opened("a:1"), opened("b:2", change));
  expect(check).toThrow(message);
  expect(check).toThrow(expect.objectContaining({ codeName: "FAILED_PRECONDITION", reason: "REPLICAS_DIFFER" }));
});
