import { readFile } from "node:fs/promises";
import { sha256Of } from "@ragline/artifacts";
import { type AuditQuery, type AuditSampler, parseQueries } from "@ragline/evaluation";
import type { RunSettings } from "../run-settings.js";
import { usageError } from "./usage-error.js";

/** A query of the run. */
export interface RunQuery {
  readonly id: string;
  readonly text: string;
  /** Self-audit alone: what the query was made from. */
  readonly origin?: AuditQuery;
}

/** The queries of the self-audit, made from the chunks; none where it is switched off. */
export function auditQueries(
  { auditQueries: count }: Pick<RunSettings, "auditQueries">,
  audit: AuditSampler,
): RunQuery[] {
  if (count === 0) return [];
  return audit.queries().map((origin) => ({ id: `${origin.kind}-${origin.row}`, text: origin.text, origin }));
}

/**
 * The queries of the run's file; undefined where none is named.
 * @throws RaglineError INVALID_ARGUMENT when the file cannot be read; QueryFileError when it holds no usable queries.
 */
export async function fileQueries({ queries: path }: Pick<RunSettings, "queries">): Promise<RunQuery[] | undefined> {
  if (path === null) return undefined;
  const text = await readFile(path, "utf8").catch((cause: Error) => {
    throw usageError("QUERIES", `cannot read the queries: ${cause.message}; check --queries`, cause);
  });
  return parseQueries(text, path);
}

/** What is told of a query: enough to recognise it, and its text only where that was asked for. */
export function describeQuery(
  text: string,
  { storeQueries }: Pick<RunSettings, "storeQueries">,
): { sha256: string; length: number; text?: string } {
  const sha256 = `sha256:${sha256Of(text).slice(0, 12)}`;
  return { sha256, length: text.length, ...(storeQueries ? { text } : {}) };
}
