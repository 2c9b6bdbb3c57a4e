import type { VerifiedModel } from "@ragline/models";
import type { TokenSequence } from "@ragline/tokenizer";
import { type TriedLayout, tryLayouts } from "./bare-layouts.js";
import { BareLoop, layoutName } from "./bare-loop.js";
import type { Figure } from "./report.js";
import { ratioOf, spreadOf } from "./statistics.js";

const layoutRounds = 2;

/** The layouts to measure against, the fastest first. */
function ceilings(tried: readonly TriedLayout[], model: VerifiedModel): TriedLayout[] {
  const fastest = tried.slice(0, 1);
  const sameResults = tried.filter(({ layout }) => layout.batchSize === 1).slice(0, 1);
  return model.precision === "int8" ? [...new Set([...fastest, ...sameResults])] : fastest;
}

/**
 * A model's bare loops against a stage, round by round: the fastest layout, and in int8 also the fastest with one text in
 * a call if that is another. Texts in an int8 call share one scale of their activations, so that a result depends on the
 * texts beside it, which a stage never allows.
 */
export class BareContest {
  readonly #unit: string;
  readonly #count: number;
  readonly #tried: readonly TriedLayout[];
  readonly #sides: readonly { loop: BareLoop; rates: number[] }[];

  private constructor(unit: string, count: number, tried: readonly TriedLayout[], loops: readonly BareLoop[]) {
    this.#unit = unit;
    this.#count = count;
    this.#tried = tried;
    this.#sides = loops.map((loop) => ({ loop, rates: [] }));
  }

  /**
   * Looks for the fastest layout, opens it and warms it up.
   * @param unit what the model computes, such as "texts".
   */
  static async open(model: VerifiedModel, sequences: readonly TokenSequence[], unit: string): Promise<BareContest> {
    const tried = await tryLayouts(model, sequences, layoutRounds, unit);
    const loops: BareLoop[] = [];
    const contest = async (): Promise<BareContest> => {
      for (const { layout } of ceilings(tried, model)) {
        const loop = await BareLoop.open(model, sequences, layout);
        loops.push(loop);
        await loop.run([0, 1].slice(0, sequences.length));
      }
      return new BareContest(unit, sequences.length, tried, loops);
    };
    return contest().catch((error: unknown) => {
      for (const loop of loops) loop.close();
      throw error;
    });
  }

  /** Has each loop compute everything once. */
  async run(): Promise<void> {
    for (const { loop, rates } of this.#sides) rates.push(this.#count / (await loop.run()));
  }

  /** The loops' rates and what the stage's are to them. */
  figures(name: string, stageRates: readonly number[]): Figure[] {
    return this.#sides.flatMap(({ loop: { layout }, rates }, i): Figure[] => [
      { name: `bare loop, ${name}, ${layoutName(layout)}`, unit: `${this.#unit}/s`, ...spreadOf(rates) },
      {
        name: `stage / bare loop, ${name}${i > 0 ? ", one per call" : ""}`,
        unit: "",
        ...ratioOf(stageRates, rates),
        ...(i === 0 ? { aim: { atLeast: 0.9 } } : {}),
      },
    ]);
  }

  /** The rates of all layouts that were tried over a sample. */
  get sampleFigures(): Figure[] {
    return this.#tried.map(({ figure }) => figure);
  }

  /** Ends the processes. */
  close(): void {
    for (const { loop } of this.#sides) loop.close();
  }
}
