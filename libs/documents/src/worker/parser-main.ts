import { Worker } from "node:worker_threads";
import { DocumentError } from "../document-error.js";
import { readDocument } from "../read-document.js";
import type { ParserJob, ParserReply } from "./parser-protocol.js";

// A process of its own for parsers of files that nobody has looked at: its exit is the only sure way to end them and to
// give their memory back. The watchdog is a thread, for a parser may keep this one busy for ever.

new Worker(new URL("./memory-watchdog.js", import.meta.url), { workerData: { maxBytes: Number(process.argv[2]) } });

process.on("disconnect", () => process.exit());
process.on("message", (job: ParserJob) => void answer(job));
process.send?.("ready");

async function answer(job: ParserJob): Promise<void> {
  let reply:
    | Omit<Extract<ParserReply, { document: unknown }>, "residentBytes">
    | { reason: DocumentError["reason"]; message: string };
  try {
    reply = { document: await readDocument(job, { maxBytes: job.maxBytes }) };
  } catch (error) {
    const reason = error instanceof DocumentError ? error.reason : "crashed";
    const message = error instanceof Error ? error.message : String(error);
    reply = { reason, message: error instanceof DocumentError ? message : `${job.path} ended its parser: ${message}` };
  }
  process.send?.({ ...reply, residentBytes: process.memoryUsage.rss() } satisfies ParserReply);
}
