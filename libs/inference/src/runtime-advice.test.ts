import { expect, test } from "vitest";
import { openFamily } from "./family.fixture.js";
import { DenseEncoder } from "./index.js";
import { withAdvice } from "./runtime-advice.js";

test.each([
  ["indices element out of data bounds, idx=66", /idx=66; a text has more tokens than the graph has places for/],
  ["External data path does not exist: x", /does not exist: x; name the file under externalData/],
  ["Load model from m.onnx failed:Protobuf parsing failed.", /Protobuf parsing failed; it is no ONNX file/],
  ["something else.", /^something else\.$/],
])("%s", (message, expected) => {
  expect(withAdvice(message)).toMatch(expected);
});

test.each(["roberta", "bert"])(
  "%s: an entry that promises more tokens than the graph takes is told so",
  async (name) => {
    const { session, tokenizer } = await openFamily(name, { changes: { maxTokens: 512 } });
    try {
      await expect(new DenseEncoder(session, tokenizer).encode(["a ".repeat(200)], "passage")).rejects.toThrow(
        /failed: .*; a text has more tokens than the graph has places for, .*: check maxTokens and tokenizer of the model's entry$/s,
      );
    } finally {
      await session.close();
    }
  },
);
