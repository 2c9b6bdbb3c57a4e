/** Files over the line limit that may stay so: path from the repository's root, and the reason. */
export const longFiles: Readonly<Record<string, string>> = {};
