import { OutcomeReason, type Setting, Stage } from "@ragline/contracts";
import { parseLogLine } from "@ragline/service-kit";
import { type Bar, Presets, SingleBar } from "cli-progress";
import { enumName } from "../core/enum-name.js";
import type { RunEvent } from "../core/run-events.js";
import { settingsText } from "./settings-text.js";

/** Where a run is shown. */
export interface DisplayOutput {
  readonly stream: NodeJS.WriteStream;
  /** Whether bars may move: a terminal that a person watches. */
  readonly animated: boolean;
}

const seconds = (value: number): string => (value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`);

function header(runId: string, version: string, settings: readonly Setting[]): string {
  const shown = settings.map(({ key, valueJson, layer, source }) => ({
    key,
    value: JSON.parse(valueJson) as unknown,
    layer,
    source,
  }));
  return `ragline ${version}  run ${runId}\n${settingsText(shown)}\n`;
}

function readableLine(line: string): string {
  const { service, level, text } = parseLogLine(line);
  return level === undefined ? text : `${service ?? "stage"} ${level}: ${text}`;
}

/** Shows the events of a run: bars on a terminal, one line per step elsewhere. */
export class RunDisplay {
  readonly #output: DisplayOutput;
  #bar: Bar | undefined;
  #barLabel = "";
  #unit = "";
  #startedAt = 0;

  constructor(output: DisplayOutput) {
    this.#output = output;
  }

  /** Shows one event. */
  show(event: RunEvent): void {
    switch (event.case) {
      case "started":
        this.#write(header(event.value.runId, event.value.version, event.value.settings));
        return;
      case "stageStarted":
        this.#start(event.value);
        return;
      case "stageProgress":
        this.#progress(event.value);
        return;
      case "stageFinished": {
        const { stage, model, items, unit, seconds: took } = event.value;
        if (label(stage, model) === this.#barLabel) this.end();
        const rate = took > 0 ? `, ${(Number(items) / took).toFixed(1)}/s` : "";
        this.#interrupt(`${label(stage, model)}  ${items} ${unit} in ${seconds(took)}${rate}`);
        return;
      }
      case "outcome": {
        this.#interrupt(
          `  ${event.value.degraded ? "degraded" : "note"}: ${enumName(Stage, event.value.stage)}, ${enumName(OutcomeReason, event.value.reason)}: ${event.value.detail}`,
        );
        return;
      }
      case "finished":
        this.end();
    }
  }

  /** Shows a line of a stage's log: what it says to a person, or the line itself where it is no log line. */
  log(line: string): void {
    this.#interrupt(`  ${readableLine(line)}`);
  }

  /** Takes the bar away. */
  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #start({ stage, model, total, unit }: Extract<RunEvent, { case: "stageStarted" }>["value"]): void {
    this.end();
    if (!this.#output.animated) {
      this.#write(`${label(stage, model)}  started${total > 0n ? `, ${total} ${unit}` : ""}`);
      return;
    }
    this.#startedAt = performance.now();
    this.#barLabel = label(stage, model);
    this.#unit = unit;
    if (total > 0n) this.#openBar(total);
  }

  #progress({ stage, model, done, total }: Extract<RunEvent, { case: "stageProgress" }>["value"]): void {
    // With several models side by side the bar is that of the last one started.
    if (!this.#output.animated || label(stage, model) !== this.#barLabel) return;
    // While documents are still being chunked the number of chunks is not known, so there is no bar yet.
    if (this.#bar === undefined && total > 0n) this.#openBar(total);
    this.#bar?.update(Number(done), { rate: this.#rate(Number(done)) });
  }

  #openBar(total: bigint): void {
    this.#bar = new SingleBar(
      {
        stream: this.#output.stream,
        format: `${this.#barLabel}  {bar} {percentage}%  {value}/{total} ${this.#unit}  {rate}/s  {eta_formatted} left`,
        clearOnComplete: true,
        hideCursor: true,
        etaBuffer: 64,
        fps: 10,
      },
      Presets.shades_classic,
    );
    this.#bar.start(Number(total), 0, { rate: "-" });
  }

  #rate(done: number): string {
    const elapsed = (performance.now() - this.#startedAt) / 1000;
    return elapsed > 0 ? (done / elapsed).toFixed(1) : "-";
  }

  /** Writes a line without tearing the bar. */
  #interrupt(line: string): void {
    if (this.#bar && this.#output.animated) this.#output.stream.write("\r\u001b[2K");
    this.#write(line);
  }

  #write(text: string): void {
    this.#output.stream.write(`${text}\n`);
  }
}

function label(stage: Stage, model: string): string {
  return `${enumName(Stage, stage).padEnd(7)}${model ? ` ${model}` : ""}`;
}
