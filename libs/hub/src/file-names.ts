/** Endings of the files that are ever fetched: graphs, their data, and text. None of them can hold code that runs. */
export const fetchableExtensions = [".onnx", ".onnx_data", ".json", ".txt", ".model"] as const;

/** Whether a name is a relative path that stays below its folder on every system, with forward slashes. */
export function isSafeName(name: string): boolean {
  return name.length <= 200 && /^[\w-][\w.+-]*(\/[\w-][\w.+-]*)*$/.test(name);
}

/** Whether a file of this name may be fetched from a hub. */
export function isFetchable(name: string): boolean {
  // Data of more than 2 GB comes in numbered parts: .onnx_data, .onnx_data_1, and so on.
  const whole = name.replace(/(\.onnx_data)_\d+$/, "$1");
  return isSafeName(name) && fetchableExtensions.some((extension) => whole.endsWith(extension));
}
