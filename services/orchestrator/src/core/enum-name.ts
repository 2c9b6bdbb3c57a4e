/** The name of an enum's value in lower case, such as "metadata_fallback"; empty for a value that this version does not know. */
export function enumName(values: Readonly<Record<string, number>>, value: number): string {
  return (
    Object.keys(values)
      .find((name) => values[name] === value)
      ?.toLowerCase() ?? ""
  );
}
