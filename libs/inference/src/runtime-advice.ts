const advice: readonly (readonly [RegExp, string])[] = [
  [
    /out of data bounds|broadcast an axis/,
    "a text has more tokens than the graph has places for, or tokens that it does not know: check maxTokens and tokenizer of the model's entry",
  ],
  [/External data path/, "name the file under externalData of the graph in the model's entry, or restore it"],
  [/Protobuf parsing failed/, "it is no ONNX file, or a damaged one"],
];

/** What onnxruntime says of a failure, with what to do where its words alone do not tell. */
export function withAdvice(message: string): string {
  const [, found] = advice.find(([pattern]) => pattern.test(message)) ?? [];
  return found === undefined ? message : `${message.replace(/[\s.]+$/, "")}; ${found}`;
}
