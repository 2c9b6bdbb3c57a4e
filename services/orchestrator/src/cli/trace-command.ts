import type { Command } from "commander";

/** Adds `ragline trace`. */
export function addTraceCommand(program: Command): void {
  program
    .command("trace")
    .description("Show a trace file of a run: its spans as a tree, and the steps that decided how long it took.")
    .argument("<file>", "What `ragline run --trace-file` wrote, or any OTLP JSON.")
    .option("--json", "Print the tree and the critical path as one JSON object.")
    .action(async (file: string, flags: { json?: boolean }) => {
      const { traceAction } = await import("./trace-action.js");
      process.exitCode = await traceAction(file, flags);
    });
}
