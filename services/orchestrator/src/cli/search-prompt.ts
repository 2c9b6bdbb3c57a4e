import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Filter, FilterError, parseFilter } from "@ragline/retrieval";
import type { SearchSession } from "../core/search-session.js";
import { toRunError } from "../core/usage-error.js";
import { describeFailure } from "./describe-failure.js";
import { hitsText } from "./hit-text.js";

/** How to ask and answer. */
export interface SearchPromptOptions {
  readonly session: SearchSession;
  readonly topK: number;
  readonly filters: readonly Filter[];
  readonly json: boolean;
  readonly signal: AbortSignal;
}

const help = `Type a question, or:
  :top <n>          answers to give
  :filter <filter>  only chunks that fit, as --filter; another one narrows further
  :filter           all chunks again
  :quit             end; Ctrl-D does as well
`;

/** Answers one line after the other from stdin until it ends; the models stay loaded. A bad line does not end it. */
export async function searchPrompt(options: SearchPromptOptions): Promise<void> {
  const { session, json, signal } = options;
  let { topK, filters } = options;
  const isTerminal = process.stdin.isTTY === true;
  const reader = createInterface({
    input: process.stdin,
    // What is asked for is on stdout, what is said around it on stderr.
    ...(isTerminal ? { output: process.stderr } : {}),
    prompt: "search> ",
  });
  const stop = () => reader.close();
  signal.addEventListener("abort", stop, { once: true });
  reader.on("SIGINT", stop);
  if (isTerminal) process.stderr.write(help);
  const lines = reader[Symbol.asyncIterator]();
  try {
    for (;;) {
      if (isTerminal && !signal.aborted) reader.prompt();
      const { value, done } = await lines.next();
      if (done === true || signal.aborted) return;
      const line = value.trim();
      if (line === ":quit" || line === ":q") return;
      try {
        if (line === "") continue;
        if (line.startsWith(":")) {
          const next = changed(line, { topK, filters });
          await session.checkFilters(next.filters);
          ({ topK, filters } = next);
        } else {
          const { hits, timings } = await session.search({ query: line, topK, filters });
          const written = process.stdout.write(
            json ? `${JSON.stringify({ query: line, hits, timings })}\n` : `${hitsText(hits, filters.length > 0)}\n\n`,
          );
          if (!written) await once(process.stdout, "drain");
        }
      } catch (error) {
        if (signal.aborted) return;
        const { reason, message } = describeFailure(toRunError(error));
        // So that there is one line for each question.
        if (json && !line.startsWith(":"))
          process.stdout.write(`${JSON.stringify({ query: line, error: { reason, message } })}\n`);
        process.stderr.write(`ragline: ${message}\n`);
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
    reader.close();
  }
}

function changed(
  line: string,
  { topK, filters }: { readonly topK: number; readonly filters: readonly Filter[] },
): { topK: number; filters: readonly Filter[] } {
  const [command = "", ...words] = line.split(/\s+/u);
  const argument = words.join(" ");
  if (command === ":filter") return { topK, filters: argument === "" ? [] : [...filters, parseFilter(argument)] };
  const count = Number(argument);
  if (command === ":top" && Number.isSafeInteger(count) && count > 0) return { topK: count, filters };
  throw new FilterError(`"${line}" is no command. ${help.trimEnd()}`);
}
