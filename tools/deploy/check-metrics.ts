import { spawnSync } from "node:child_process";

/** What a scrape of a /metrics gave. */
export interface MetricsCheck {
  /** Series that were told. */
  readonly seriesCount: number;
  /** What promtool has against them; empty where it is content. */
  readonly problems: string;
}

/** Whether promtool is installed (Debian: package prometheus). */
export function hasPromtool(): boolean {
  return spawnSync("promtool", ["--version"]).status === 0;
}

/**
 * Scrapes a service once and has `promtool check metrics` look at what it told.
 * @param address "host:port" of its /metrics
 * @throws Error when it does not answer
 */
export async function checkMetrics(address: string): Promise<MetricsCheck> {
  const reply = await fetch(`http://${address}/metrics`);
  if (!reply.ok) throw new Error(`http://${address}/metrics answered ${reply.status}`);
  const text = await reply.text();
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  return {
    seriesCount: text.split("\n").filter((line) => /^[a-z]/.test(line)).length,
    problems:
      status === 0 ? `${stdout}${stderr}`.trim() : `promtool ended with exit code ${status}: ${stdout}${stderr}`,
  };
}
