import type { Manifest } from "@ragline/artifacts";
import type { ComparedRun } from "./compared-run.js";

/** A value in two runs; null where a run has none. */
export interface Change<Value> {
  readonly a: Value | null;
  readonly b: Value | null;
}

/** Something with a name that differs. */
export interface NamedChange<Value> extends Change<Value> {
  readonly name: string;
}

/** How many of some things are the same in both runs, and those that are not. */
export interface SetComparison {
  readonly same: number;
  readonly changed: readonly NamedChange<string>[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** A number in two runs, and b / a where both are above 0. */
export interface Measure extends Change<number> {
  readonly name: string;
  readonly unit: "seconds" | "items/s" | "bytes";
  readonly ratio: number | null;
}

function both<Value>(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): NamedChange<Value>[] {
  return [...new Set([...a.keys(), ...b.keys()])].map((name) => ({
    name,
    a: a.get(name) ?? null,
    b: b.get(name) ?? null,
  }));
}

function compareSets(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): SetComparison {
  const pairs = both(a, b);
  return {
    same: pairs.filter((pair) => pair.a === pair.b).length,
    changed: pairs.filter((pair) => pair.a !== null && pair.b !== null && pair.a !== pair.b),
    added: pairs.flatMap((pair) => (pair.a === null ? pair.name : [])),
    removed: pairs.flatMap((pair) => (pair.b === null ? pair.name : [])),
  };
}

/** Every setting by name, as JSON, with the layer that it came from. */
function settingsOf({ feature_toggles: toggles, config }: Manifest): Map<string, { value: unknown; layer: string }> {
  const { provenance } = toggles ?? {};
  if (Array.isArray(provenance))
    return new Map(provenance.map(({ key, value, layer }) => [key, { value, layer: layer ?? "" }]));
  return new Map(Object.entries(config?.values ?? {}).map(([key, value]) => [key, { value, layer: "" }]));
}

/** Settings with different values; null where a run names none. */
export function compareSettings(a: Manifest, b: Manifest): NamedChange<{ value: unknown; layer: string }>[] | null {
  const [settingsA, settingsB] = [settingsOf(a), settingsOf(b)];
  if (settingsA.size === 0 || settingsB.size === 0) return null;
  return both(settingsA, settingsB).filter((pair) => JSON.stringify(pair.a?.value) !== JSON.stringify(pair.b?.value));
}

/** Versions that differ. */
export function compareVersions(a: Manifest, b: Manifest): NamedChange<string>[] {
  const versions = ({ versions = {} }: Manifest) => new Map(Object.entries(versions));
  return both(versions(a), versions(b)).filter((pair) => pair.a !== pair.b);
}

/** Input files by path and SHA-256. */
export function compareInputs(a: Manifest, b: Manifest): SetComparison {
  const inputs = ({ inputs: files = [] }: Manifest) => new Map(files.map(({ path, sha256 = "" }) => [path, sha256]));
  return compareSets(inputs(a), inputs(b));
}

/** Files of the runs by name, without their prefixes, and SHA-256. */
export function compareFiles(a: ComparedRun, b: ComparedRun): SetComparison {
  const files = ({ manifest, prefix }: ComparedRun) =>
    new Map(
      (manifest.outputs ?? []).map(({ name, sha256 }) => [
        name.startsWith(`${prefix}_`) ? name.slice(prefix.length + 1) : name,
        sha256,
      ]),
    );
  return compareSets(files(a), files(b));
}

/** Models by stage and name, with what they were made of. */
export function compareModels(a: Manifest, b: Manifest): SetComparison {
  const models = ({ models: used = [] }: Manifest) =>
    new Map(
      used.map(({ stage, name, precision, files = [] }) => [
        `${stage} ${name}`,
        [precision, ...files.map(({ name: file, sha256 }) => `${file} ${sha256.slice(0, 12)}`)].join(", "),
      ]),
    );
  return compareSets(models(a), models(b));
}

const measures = (unit: Measure["unit"], a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Measure[] =>
  both(a, b).map((pair) => ({
    ...pair,
    unit,
    ratio: pair.a !== null && pair.b !== null && pair.a > 0 && pair.b > 0 ? pair.b / pair.a : null,
  }));

/** Seconds of each stage, what the dense stage did per second, and each model from its start to its end. */
export function compareSpeed(a: Manifest, b: Manifest): Measure[] {
  const seconds = ({ stages = {} }: Manifest) =>
    new Map(
      Object.entries(stages).flatMap(([stage, { seconds: took }]) =>
        took === undefined ? [] : [[stage, took] as const],
      ),
    );
  const rate = ({ dense_run: dense, timeline }: Manifest) =>
    new Map([
      ...(dense?.chunks_per_second === undefined ? [] : [["dense vectors", dense.chunks_per_second] as const]),
      ...(timeline?.work ?? []).flatMap(({ stage, model, items, start_seconds: start, end_seconds: end }) =>
        model === "" || end === null || end <= start ? [] : [[`${stage} ${model}`, items / (end - start)] as const],
      ),
    ]);
  return [...measures("seconds", seconds(a), seconds(b)), ...measures("items/s", rate(a), rate(b))];
}

/** Peak memory of each device, and of each model's workers. */
export function compareMemory(a: Manifest, b: Manifest): Measure[] {
  const devices = ({ performance_baseline: baseline }: Manifest) =>
    (baseline?.devices ?? []).map(({ device, peak_bytes: bytes }) => [`device ${device}`, bytes] as const);
  const peaks = (manifest: Manifest) => new Map([...devices(manifest), ...modelPeaks(manifest)]);
  return measures("bytes", peaks(a), peaks(b));
}

function modelPeaks({ dense_run: dense, sparse_run: sparse, rerank_run: rerank }: Manifest): [string, number][] {
  const byModel = [
    ...Object.entries((dense?.["memory"] ?? {}) as Record<string, unknown>),
    ...(sparse?.models ?? []).map((model) => {
      const { name, memory } = (model ?? {}) as { name?: unknown; memory?: unknown };
      return [String(name), memory] as const;
    }),
    [rerank?.model_name ?? "", rerank?.["memory"]] as const,
  ];
  return byModel.flatMap(([name, memory]): [string, number][] => {
    const peak = (memory as { peak_memory_gb?: unknown } | undefined | null)?.peak_memory_gb;
    return typeof peak === "number" ? [[`model ${name}`, peak * 1e9]] : [];
  });
}

/** How often each outcome and anomaly was told, where that differs. */
export function compareFindings(a: Manifest, b: Manifest): NamedChange<number>[] {
  const counts = ({ outcomes = [], anomalies = [] }: Manifest): Map<string, number> => {
    const found = new Map<string, number>();
    const add = (name: string, count: number) => found.set(name, (found.get(name) ?? 0) + count);
    for (const { stage, reason, model, degraded, count } of outcomes)
      add(
        [degraded ? "degraded:" : "note:", stage, reason, model].filter((part) => part !== "").join(" "),
        typeof count === "number" ? Math.max(1, count) : 1,
      );
    for (const { kind, model, count } of anomalies) add(["anomaly:", kind, model].join(" ").trim(), count);
    return found;
  };
  return both(counts(a), counts(b)).filter((pair) => pair.a !== pair.b);
}
