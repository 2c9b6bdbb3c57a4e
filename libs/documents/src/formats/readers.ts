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
    extensions: [".html", ".htm"],
    isIsolated: true,
    load: async () => ({ text: (await import("./html-blocks.js")).parseHtml }),
  },
  {
    format: "pdf",
    extensions: [".pdf"],
    isIsolated: true,
    load: async () => ({ bytes: (await import("./pdf.js")).parsePdf }),
  },
  {
    format: "docx",
    extensions: [".docx"],
    isIsolated: true,
    load: async () => ({ bytes: (await import("./docx.js")).parseDocx }),
  },
  {
    format: "pptx",
    extensions: [".pptx"],
    isIsolated: true,
    load: async () => ({ bytes: (await import("./pptx.js")).parsePptx }),
  },
  {
    format: "xlsx",
    extensions: [".xlsx"],
    isIsolated: true,
    load: async () => ({ bytes: (await import("./xlsx.js")).parseXlsx }),
  },
  {
    format: "epub",
    extensions: [".epub"],
    isIsolated: true,
    load: async () => ({ bytes: (await import("./epub.js")).parseEpub }),
  },
];

const byExtension = new Map(
  all.flatMap((reader) => reader.extensions.map((extension) => [extension, reader] as const)),
);

/** The extensions that can be read, with their dots, in lower case. */
export const supportedExtensions: readonly string[] = [...byExtension.keys()];

/** What reads files of an extension, in lower case with its dot. */
export function readerOf(extension: string): FormatReader | undefined {
  return byExtension.get(extension);
}
