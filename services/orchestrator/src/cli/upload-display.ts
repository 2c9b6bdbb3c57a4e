import type { UploadProgress } from "@ragline/upload";
import { Presets, SingleBar } from "cli-progress";

/** Shows how far an upload is: a bar on a terminal, a line for each phase elsewhere. */
export class UploadDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #animated: boolean;
  #phase: UploadProgress["phase"] | undefined;
  #bar: SingleBar | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#animated = stream.isTTY && process.env.CI === undefined;
  }

  /** Shows a step. */
  show({ phase, done, total }: UploadProgress): void {
    if (phase !== this.#phase) {
      this.end();
      this.#phase = phase;
      const label = phase === "check" ? "check " : "upload";
      if (this.#animated) {
        this.#bar = new SingleBar(
          {
            stream: this.#stream,
            format: `${label}  {bar} {percentage}%  {value}/{total} points  {eta_formatted} left`,
            clearOnComplete: true,
            hideCursor: true,
            etaBuffer: 64,
            fps: 10,
          },
          Presets.shades_classic,
        );
        this.#bar.start(total, done);
      } else this.#stream.write(`${label}  started, ${total} points${done > 0 ? `, ${done} of them are there` : ""}\n`);
    }
    this.#bar?.update(done);
  }

  /** Shows a line without tearing the bar. */
  note(line: string): void {
    if (this.#bar) this.#stream.write("\r\u001b[2K");
    this.#stream.write(`  note: ${line}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
