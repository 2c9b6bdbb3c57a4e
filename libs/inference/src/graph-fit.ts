import { type GraphValue, isEmptyCache } from "./session-inputs.js";
import type { GraphExpectation, GraphInputs, OutputHead } from "./worker-protocol.js";

const ranks: Readonly<Record<OutputHead["kind"], number>> = {
  "hidden-states": 3,
  pooled: 2,
  score: 2,
  "sparse-weights": 2,
  "sparse-logits": 3,
  attentions: 4,
};

const describe = ({ name, type, shape }: GraphValue): string =>
  `${name} (${type} ${shape.join(" x ") || "of any shape"})`;

function inputNames({ ids, attentionMask, tokenTypes, positionIds, constants }: GraphInputs): string[] {
  return [ids, attentionMask, tokenTypes, positionIds, ...Object.keys(constants)].filter((name) => name !== null);
}

function problems(expected: GraphExpectation, inputs: readonly GraphValue[], outputs: readonly GraphValue[]): string[] {
  const named = inputNames(expected.inputs);
  const found: string[] = [];
  for (const name of named) if (!inputs.some((input) => input.name === name)) found.push(`it has no input ${name}`);
  for (const input of inputs) {
    if (named.includes(input.name) && input.type !== "int64" && input.type !== "int32")
      found.push(`its input ${input.name} takes ${input.type}, not int64 or int32`);
    if (!named.includes(input.name) && !isEmptyCache(input))
      found.push(`the entry does not name its input ${input.name}`);
  }
  const output = outputs.find(({ name }) => name === expected.output);
  if (!output) return [...found, `it has no output ${expected.output}`];
  const { type, shape } = output;
  const rank = ranks[expected.head.kind];
  if (type !== "float32" && type !== "float16")
    found.push(`its output ${output.name} is ${type}, not float32 or float16`);
  if (shape.length > 0 && shape.length !== rank)
    found.push(`its output ${output.name} has ${shape.length} dimensions, not ${rank}`);
  const last = shape.at(-1);
  if (expected.width !== null && typeof last === "number" && shape.length === rank && last !== expected.width)
    found.push(`its output ${output.name} is ${last} wide, not ${expected.width}`);
  return found;
}

/**
 * Compares a graph with what the entry says of it.
 * @throws Error that tells every difference, what was expected and what is there.
 */
export function checkGraphFit(
  path: string,
  expected: GraphExpectation,
  inputs: readonly GraphValue[],
  outputs: readonly GraphValue[],
): void {
  const found = problems(expected, inputs, outputs);
  if (found.length === 0) return;
  throw new Error(
    `${path} does not fit its registry entry: ${found.join("; ")}. It has inputs ${inputs.map(describe).join(", ")} ` +
      `and outputs ${outputs.map(describe).join(", ")}; expected inputs ${inputNames(expected.inputs).join(", ")} ` +
      `and output ${expected.output}`,
  );
}
