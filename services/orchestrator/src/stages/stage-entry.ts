import type { StageName } from "../core/run-context.js";

/** The module that runs a stage's service. */
export function stageEntry(name: StageName | "orchestrator"): URL {
  return new URL(`../../../${name}/dist/main.js`, import.meta.url);
}
