import { criticalPath, type TraceAttributes, type TraceNode, type TraceTree } from "@ragline/telemetry";
import { newTable } from "./new-table.js";

// More spans of one name below one span are told in one line.
const maxAlike = 4;
const maxEvents = 8;
const pathRows = 12;

const duration = ({ startMs, endMs }: Pick<TraceNode, "startMs" | "endMs">): number => Math.max(0, endMs - startMs);

function readable(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(ms < 100_000 ? 2 : 0)} s`;
}

/** What tells one span of a name from another. */
function about({ attributes }: TraceNode): string {
  const model = attributes["gen_ai.request.model"];
  const address = attributes["server.address"];
  const port = attributes["server.port"];
  return [model, address === undefined ? undefined : `${String(address)}:${String(port)}`].filter(Boolean).join(" ");
}

interface Line {
  readonly text: string;
  readonly took: string;
  readonly after: string;
  readonly process: string;
}

const value = (of: TraceAttributes[string]): string =>
  typeof of === "number" && !Number.isInteger(of) ? of.toFixed(3) : String(of);

function eventLines(node: TraceNode, start: number, indent: string): Line[] {
  const lines = node.events.slice(0, maxEvents).map(({ name, atMs, attributes }) => {
    const said = Object.entries(attributes).map(([key, said]) => `${key.split(".").at(-1)}=${value(said)}`);
    const told = name === "exception" ? [`message=${String(attributes["exception.message"] ?? "")}`] : said;
    return {
      text: `${indent}· ${name} ${told.join(" ")}`,
      took: "",
      after: readable(atMs - start),
      process: "",
    };
  });
  const more = node.events.length - lines.length;
  return more > 0
    ? [...lines, { text: `${indent}· and ${more} more events`, took: "", after: "", process: "" }]
    : lines;
}

const processOf = ({ service, pid }: TraceNode): string => (pid === undefined ? service : `${service} ${pid}`);

function linesOf(node: TraceNode, start: number, head: string, indent: string): Line[] {
  const name = [node.name, about(node), node.isError ? "ERROR" : ""].filter(Boolean).join("  ");
  const own = { took: readable(duration(node)), after: readable(node.startMs - start), process: processOf(node) };
  const groups = new Map<string, TraceNode[]>();
  for (const child of node.children) groups.set(child.name, [...(groups.get(child.name) ?? []), child]);
  const entries = [...groups.values()].flatMap((alike) =>
    alike.length > maxAlike && !alike.some(({ isError }) => isError) ? [alike] : alike.map((one) => [one]),
  );
  entries.sort(([a], [b]) => (a?.startMs ?? 0) - (b?.startMs ?? 0));
  const below = entries.flatMap((alike, i) => {
    const isLast = i === entries.length - 1;
    const [first] = alike;
    if (!first) return [];
    const branch = `${indent}${isLast ? "└─ " : "├─ "}`;
    const next = `${indent}${isLast ? "   " : "│  "}`;
    return alike.length === 1 ? linesOf(first, start, branch, next) : [alikeLine(alike, first, start, branch)];
  });
  return [
    { text: `${head}${name}`, ...own },
    ...eventLines(node, start, `${indent}${below.length > 0 ? "│ " : "  "}`),
    ...below,
  ];
}

function alikeLine(alike: readonly TraceNode[], first: TraceNode, start: number, branch: string): Line {
  const sorted = alike.map(duration).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const text = `${branch}${first.name} x ${alike.length}  median ${readable(median)}, longest ${readable(sorted.at(-1) ?? 0)}`;
  const whole = { startMs: first.startMs, endMs: Math.max(...alike.map(({ endMs }) => endMs)) };
  const processes = new Set(alike.map(processOf)).size;
  const process = processes === 1 ? processOf(first) : `${first.service}, ${processes} processes`;
  return { text, took: readable(duration(whole)), after: readable(first.startMs - start), process };
}

function pathText(root: TraceNode): string {
  const whole = duration(root);
  const byName = new Map<string, { ms: number; spans: number; service: string }>();
  for (const { node, ms } of criticalPath(root)) {
    const key = [node.name, about(node)].filter(Boolean).join("  ");
    const known = byName.get(key) ?? { ms: 0, spans: 0, service: node.service };
    byName.set(key, { ...known, ms: known.ms + ms, spans: known.spans + 1 });
  }
  const rows = [...byName].sort(([, a], [, b]) => b.ms - a.ms);
  const table = newTable(
    ["critical path", "time", "share", "spans", "process"],
    ["left", "right", "right", "right", "left"],
  );
  for (const [name, { ms, spans, service }] of rows.slice(0, pathRows))
    table.push([name, readable(ms), `${((100 * ms) / Math.max(whole, 1e-9)).toFixed(1)} %`, spans, service]);
  const rest = rows.slice(pathRows).reduce((sum, [, { ms }]) => sum + ms, 0);
  const more = rest > 0 ? `\n${rows.length - pathRows} more, ${readable(rest)} together` : "";
  return `${table.toString()}${more}`;
}

/** What a person reads of a trace: its spans as a tree, and the steps that decided how long it took. */
export function traceText({ roots, spanCount, orphanCount }: TraceTree): string {
  const processes = new Set<string>();
  let errors = 0;
  const count = (node: TraceNode): void => {
    processes.add(processOf(node));
    if (node.isError) errors++;
    for (const child of node.children) count(child);
  };
  for (const root of roots) count(root);
  const facts = [`${spanCount} spans`, `${processes.size} processes`];
  if (errors > 0) facts.push(`${errors} with an error`);
  if (orphanCount > 0) facts.push(`${orphanCount} whose parent is elsewhere`);
  const parts = roots.map((root) => {
    const table = newTable(["span", "took", "after", "process"], ["left", "right", "right", "left"]);
    for (const { text, took, after, process } of linesOf(root, root.startMs, "", ""))
      table.push([text, took, after, process]);
    return `${table.toString()}\n\n${pathText(root)}`;
  });
  return [`Trace ${roots[0]?.traceId ?? ""}: ${facts.join(", ")}`, ...parts].join("\n\n");
}
