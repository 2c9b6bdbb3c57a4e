/** Endings of the files that are ever fetched: graphs, their data, and text. None of them can hold code that runs. */
export const fetchableExtensions = [".onnx", ".onnx_data", ".json", ".txt", ".model"] as const;

/** Whether a name is a relative path that stays below its folder on every system, with forward slashes. */
export function isSafeName(name: string): boolean {
  return name.length <= 200 && /^[\w-][\w.+-]*(\/[\w-][\w.+-]*)*$/.test(name);
}

/** Whether a file of this name may be fetched from a hub. */
export function isFetchable(name: string): boolean {
  return isSafeName(name) && fetchableExtensions.some((extension) => name.endsWith(extension));
}
