import { OutcomeReason, Stage } from "@ragline/contracts";
import { findModel } from "@ragline/models";
import type { CollectionResult } from "./collection-result.js";
import { stageRuns } from "./device-report.js";
import type { RunContext } from "./run-context.js";
import { inSpan } from "./run-trace.js";
import { report } from "./with-stage.js";

/**
 * Draws the report page of a collection whose files are in place. The page says nothing that the files do not, so a
 * page that cannot be written is told and costs nothing else.
 * @returns its path; null when it could not be written.
 */
export async function drawReport(
  context: RunContext,
  result: CollectionResult,
  outputDir: string,
  summaryPath: string,
): Promise<string | null> {
  const tokenLimits = Object.fromEntries(
    stageRuns(result).map(({ stage, run: { ready } }) => [ready.model, findModel(ready.model, stage).maxTokens]),
  );
  try {
    return await inSpan("rag.report", { "rag.collection": result.planned.name }, async () => {
      // Loaded late: a command that draws nothing starts without it.
      const { writeReport } = await import("@ragline/report");
      return writeReport(outputDir, { summaryPath, tokenLimits });
    });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    report(context, {
      stage: Stage.EXPORT,
      reason: OutcomeReason.EXECUTION_FAILED,
      detail: `there is no report page, but every other file is whole: ${said}`,
      count: 1n,
    });
    return null;
  }
}
