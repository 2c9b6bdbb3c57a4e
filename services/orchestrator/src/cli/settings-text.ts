/** A setting and where its value came from. */
export interface ShownSetting {
  readonly key: string;
  readonly value: unknown;
  readonly layer: string;
  readonly source: string;
}

const widestValue = 44;

function printable(value: unknown): string {
  if (value === null) return "-";
  if (Array.isArray(value)) return value.join(" ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The settings one a line: key, value, provenance. */
export function settingsText(settings: readonly ShownSetting[]): string {
  const values = settings.map(({ value }) => printable(value));
  const keyWidth = Math.max(...settings.map(({ key }) => key.length));
  const valueWidth = Math.min(widestValue, Math.max(...values.map(({ length }) => length)));
  return settings
    .map(({ key, layer, source }, i) => {
      const from = source === layer ? layer : `${layer}: ${source}`;
      return `  ${key.padEnd(keyWidth)}  ${(values[i] ?? "").padEnd(valueWidth)}  ${from}`;
    })
    .join("\n");
}
