import { OutcomeReason, OutcomeSource, Stage } from "@ragline/contracts";
import type { Logger } from "@ragline/service-kit";
import { enumName } from "./enum-name.js";
import type { RunEvent } from "./run-events.js";

/** Tells the events of a run to a log, one line for each that matters; progress is not. */
export function logRunEvents(log: Logger): (event: RunEvent) => void {
  return (event) => {
    switch (event.case) {
      case "started": {
        const { runId, traceId, version } = event.value;
        log.info({ run_id: runId, trace_id: traceId, version }, "run started");
        return;
      }
      case "stageFinished": {
        const { collection, stage, model, items, unit, seconds } = event.value;
        const fields = { collection, stage: enumName(Stage, stage), ...(model ? { model } : {}) };
        log.info({ ...fields, items: Number(items), unit, seconds }, "stage done");
        return;
      }
      case "outcome": {
        const { stage, reason, source, model, count, degraded, detail } = event.value;
        const fields = {
          stage: enumName(Stage, stage),
          reason: enumName(OutcomeReason, reason),
          source: enumName(OutcomeSource, source),
          ...(model ? { model } : {}),
          count: Number(count),
          degraded,
        };
        if (degraded) log.warn(fields, detail);
        else log.info(fields, detail);
        return;
      }
      case "finished":
        log.info({ degraded: event.value.degraded }, "run done");
        return;
      case "stageStarted":
      case "stageProgress":
    }
  };
}
