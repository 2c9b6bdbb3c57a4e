import { SetupError } from "./setup-error.mjs";

/** @typedef {{name: string, command: string[]}} Step */
/** @typedef {{name: string, code: number, seconds: number}} StepResult */

/**
 * Every check and test, in order. The build is the typecheck, and what comes after reads its output.
 *
 * @type {readonly Step[]}
 */
export const testSteps = [
  { name: "build", command: ["nx", "run-many", "-t", "build"] },
  { name: "proto-lint", command: ["buf", "lint"] },
  { name: "proto-format", command: ["buf", "format", "--diff", "--exit-code"] },
  { name: "proto-breaking", command: ["node", "tools/dist/contract/check-breaking.js"] },
  { name: "proto-generated", command: ["node", "tools/dist/contract/check-generated.js"] },
  { name: "format", command: ["biome", "check", "--error-on-warnings", "."] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "boundaries", command: ["node", "tools/dist/boundaries/main.js"] },
  { name: "manifests", command: ["node", "tools/dist/manifests/main.js"] },
  { name: "tests", command: ["vitest", "run"] },
];

/**
 * @param {string[]} names the steps to run; none means all
 * @returns {Step[]} in the order of {@link testSteps}
 * @throws {SetupError} when there is no step of a name
 */
export function selectSteps(names) {
  const unknown = names.find((name) => !testSteps.some((step) => step.name === name));
  if (unknown !== undefined) {
    throw new SetupError(
      `There is no step "${unknown}". The steps are ${testSteps.map(({ name }) => name).join(", ")}.`,
    );
  }
  return testSteps.filter(({ name }) => names.length === 0 || names.includes(name));
}

/**
 * @param {StepResult[]} results
 * @returns {string} a table with one line per step, and a sentence
 */
export function formatResults(results) {
  const rows = results.map(({ name, code, seconds }) => {
    const outcome = code === 0 ? "ok" : `FAILED (${code})`;
    return `${name.padEnd(17)}${outcome.padEnd(14)}${seconds.toFixed(1).padStart(7)}`;
  });
  const failed = results.filter(({ code }) => code !== 0).map(({ name }) => name);
  const sentence =
    failed.length === 0
      ? `All ${results.length} steps passed.`
      : `${failed.length} of ${results.length} steps failed: ${failed.join(", ")}.`;
  return [`${"step".padEnd(17)}${"result".padEnd(14)}seconds`, ...rows, "", sentence].join("\n");
}
