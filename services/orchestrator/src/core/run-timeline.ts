import { Stage } from "@ragline/contracts";
import type { LeaseDeviceState } from "@ragline/gpu-lease";
import { enumName } from "./enum-name.js";
import type { RunEvent } from "./run-events.js";

/** Points in time that are kept at most; when there are more, every two become one. */
const maxPoints = 120;
const firstPeriodMs = 250;

/** What a sample says: a figure for each series that there is by now. */
interface Sample {
  readonly atSeconds: number;
  /** Items that each model has done, by its place in {@link RunTimeline}. */
  readonly done: readonly number[];
  /** Bytes by name. */
  readonly bytes: ReadonlyMap<string, number>;
}

/** A model's work, or a step that tells no progress. */
interface Work {
  readonly stage: string;
  readonly model: string;
  readonly unit: string;
  readonly startSeconds: number;
  endSeconds: number | null;
  items: number;
}

/** How a timeline is kept. */
export interface RunTimelineOptions {
  /** The devices of the run's own broker as they are now; none where leases are elsewhere. */
  readonly devices: () => readonly LeaseDeviceState[];
}

/**
 * What a run did over time: when each model worked and how far it was, and how much memory was in use. It is sampled four
 * times a second at first, and half as often each time that 120 samples are full, so its size does not depend on the run's.
 */
export class RunTimeline {
  readonly #startedAt = new Date();
  readonly #origin = performance.now();
  readonly #options: RunTimelineOptions;
  readonly #works: Work[] = [];
  #samples: Sample[] = [];
  #periodMs = firstPeriodMs;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RunTimelineOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Seconds since it began, of a time of `performance.now()`. */
  secondsOf(now: number = performance.now()): number {
    return (now - this.#origin) / 1000;
  }

  /** Takes in what happened. */
  note(event: RunEvent): void {
    if (event.case === "stageStarted") {
      const { stage, model, unit } = event.value;
      // A model that starts anew on another service goes on with the same work.
      if (this.#workOf(event.value) === undefined)
        this.#works.push({
          stage: enumName(Stage, stage),
          model,
          unit,
          startSeconds: this.secondsOf(),
          endSeconds: null,
          items: 0,
        });
    } else if (event.case === "stageProgress") {
      const work = this.#workOf(event.value);
      if (work) work.items = Number(event.value.done);
    } else if (event.case === "stageFinished") {
      const work = this.#workOf(event.value);
      if (!work) return;
      work.endSeconds = this.secondsOf();
      work.items = Number(event.value.items);
    }
  }

  /** Ends the sampling. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** `timeline` of the manifest, up to now. */
  record(): object {
    this.sample();
    const samples = this.#samples;
    const names = [...new Set(samples.flatMap(({ bytes }) => [...bytes.keys()]))];
    return {
      started_at: this.#startedAt.toISOString(),
      period_seconds: this.#periodMs / 1000,
      at_seconds: samples.map(({ atSeconds }) => atSeconds),
      work: this.#works.map(({ stage, model, unit, startSeconds, endSeconds, items }, i) => ({
        stage,
        model,
        unit,
        items,
        start_seconds: round(startSeconds),
        end_seconds: endSeconds === null ? null : round(endSeconds),
        done: samples.map(({ done }) => done[i] ?? 0),
      })),
      memory: names.map((name) => ({ name, bytes: samples.map(({ bytes }) => bytes.get(name) ?? 0) })),
    };
  }

  /** Takes a sample now. */
  sample(): void {
    const bytes = new Map([["orchestrator", process.memoryUsage.rss()]]);
    for (const { name, grantedBytes, leases } of this.#options.devices()) {
      bytes.set(
        `${name} in use`,
        leases.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
      );
      bytes.set(`${name} leased`, grantedBytes);
    }
    this.#samples.push({
      atSeconds: round(this.secondsOf()),
      done: this.#works.map(({ items }) => items),
      bytes,
    });
    if (this.#samples.length <= maxPoints) return;
    this.#samples = halve(this.#samples);
    this.#periodMs *= 2;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.sample();
      this.#schedule();
    }, this.#periodMs).unref();
  }

  #workOf({ stage, model }: { readonly stage: Stage; readonly model: string }): Work | undefined {
    const name = enumName(Stage, stage);
    return this.#works.find((work) => work.stage === name && work.model === model);
  }
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** Every two samples as one: how far the work was at the later one, and the most memory of both. */
function halve(samples: readonly Sample[]): Sample[] {
  const halved: Sample[] = [];
  for (let i = 0; i < samples.length; i += 2) {
    const first = samples[i] as Sample;
    const second = samples[i + 1] ?? first;
    const bytes = new Map(second.bytes);
    for (const [name, size] of first.bytes) bytes.set(name, Math.max(size, bytes.get(name) ?? 0));
    halved.push({ ...second, bytes });
  }
  return halved;
}
