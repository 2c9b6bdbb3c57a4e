import type { FormatReader } from "./format-reader.js";

/** Every format that can be read; a new format is a new entry here. */
const all: readonly FormatReader[] = [
  {
    format: "markdown",
    extensions: [".md", ".markdown"],
    isIsolated: false,
    load: async () => ({ text: (await import("./markdown-blocks.js")).parseMarkdown }),
  },
  {
    format: "text",
    extensions: [".txt"],
    isIsolated: false,
    load: async () => ({ text: (await import("./text-blocks.js")).parsePlainText }),
  },
  {
    format: "html",
    extensions: [".html", ".htm", ".xhtml"],
    isIsolated: true,
    load: async () => ({ text: (await import("./html-blocks.js")).parseHtml }),
  },
];

const byExtension = new Map(all.flatMap((reader) => reader.extensions.map((extension) => [extension, reader])));

/** The extensions that can be read, with their dots, in lower case. */
export const supportedExtensions: readonly string[] = [...byExtension.keys()];

/** What reads files of an extension, in lower case with its dot. */
export function readerOf(extension: string): FormatReader | undefined {
  return byExtension.get(extension);
}
