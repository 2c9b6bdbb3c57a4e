import { byteSize } from "@ragline/hub";
import type { StoreEvents } from "@ragline/models";
import { Presets, SingleBar } from "cli-progress";

/** Shows how far the pull of a model is: a bar with size and time left on a terminal, a line for each model elsewhere. */
export class PullDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #animated: boolean;
  #model: string | undefined;
  #bar: SingleBar | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#animated = stream.isTTY && process.env["CI"] === undefined;
  }

  /** What is told of pulls. */
  readonly events: StoreEvents = {
    onProgress: ({ model, doneBytes, totalBytes }) => this.#show(model, doneBytes, totalBytes),
    onWait: (model) => this.#note(`another process is pulling ${model}; waiting for it`),
    onRetry: (model, problem) => this.#note(`${model}: ${problem}; trying again`),
  };

  /** Takes the bar away. */
  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#model = undefined;
  }

  #show(model: string, done: number, total: number): void {
    if (model !== this.#model) {
      this.end();
      this.#model = model;
      if (this.#animated) {
        const format = `pull    ${model}  {bar} {percentage}%  {size} of ${byteSize(total)}  {eta_formatted} left`;
        const options = {
          stream: this.#stream,
          format,
          clearOnComplete: true,
          hideCursor: true,
          etaBuffer: 64,
          fps: 10,
        };
        this.#bar = new SingleBar(options, Presets.shades_classic);
        this.#bar.start(total, done, { size: byteSize(done) });
      } else this.#stream.write(`pull    ${model}  started, ${byteSize(total)}\n`);
    }
    this.#bar?.update(done, { size: byteSize(done) });
  }

  #note(line: string): void {
    if (this.#bar) this.#stream.write("\r\u001b[2K");
    this.#stream.write(`  note: ${line}\n`);
  }
}
