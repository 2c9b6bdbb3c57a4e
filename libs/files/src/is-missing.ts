/** Whether the file system says that there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(String((error as NodeJS.ErrnoException | null)?.code));
}
