import { open } from "node:fs/promises";

/** Name of the page about a run, whatever the prefix. */
export const REPORT_NAME = "report.html";

/** Where the mark must be: it stands in the page's head. */
const headBytes = 1024;
const mark = /<meta name="ragline-manifest-sha256" content="([0-9a-f]{64})?">/;

/** The line in a page's head that says of which manifest it is. */
export function reportMark(manifestSha256: string | undefined): string {
  return `<meta name="ragline-manifest-sha256" content="${manifestSha256 ?? ""}">`;
}

/**
 * The `manifest_sha256` of the manifest that a report page is of, empty where that has none; undefined for a file that
 * is no report page of ours, or is not there.
 */
export async function readReportMark(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const found = mark.exec(buffer.toString("latin1", 0, bytesRead));
    return found ? (found[1] ?? "") : undefined;
  } catch {
    // A directory, for one.
    return undefined;
  } finally {
    await file.close();
  }
}
