import type { FormatReader } from "./format-reader.js";

/** A new format is a new entry here, or in one of the lists below. */
const documents: readonly FormatReader[] = [
  {
    format: "markdown",
    extensions: [".md", ".markdown"],
    isIsolated: false,
    load: async () => {
      const { parseMarkdown } = await import("./markdown-blocks.js");
      const { withCodeBreaks } = await import("./code-breaks.js");
      return { text: (text) => withCodeBreaks(parseMarkdown(text), readerOfLanguage) };
    },
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

const data: readonly FormatReader[] = [
  {
    format: "rst",
    extensions: [".rst"],
    isIsolated: true,
    load: async () => ({ text: await (await import("./rst.js")).rstParser() }),
  },
  {
    format: "email",
    extensions: [".eml"],
    isIsolated: true,
    load: async () => ({ bytes: (await import("./email.js")).parseEmail }),
  },
  {
    format: "notebook",
    extensions: [".ipynb"],
    isIsolated: true,
    load: async () => {
      const { parseNotebook } = await import("./notebook.js");
      const { withCodeBreaks } = await import("./code-breaks.js");
      return { text: (json) => withCodeBreaks(parseNotebook(json), readerOfLanguage) };
    },
  },
  {
    format: "csv",
    extensions: [".csv"],
    isIsolated: true,
    load: async () => ({ text: (await import("./csv.js")).parseCsv }),
  },
  {
    format: "csv",
    extensions: [".tsv"],
    isIsolated: true,
    load: async () => ({ text: (await import("./csv.js")).parseTsv }),
  },
  {
    format: "json",
    extensions: [".json"],
    isIsolated: true,
    load: async () => ({ text: (await import("./json.js")).parseJson }),
  },
  {
    format: "jsonl",
    extensions: [".jsonl", ".ndjson"],
    isIsolated: true,
    load: async () => ({ text: (await import("./json.js")).parseJsonLines }),
  },
  {
    format: "yaml",
    extensions: [".yaml", ".yml"],
    isIsolated: true,
    load: async () => ({ text: (await import("./yaml.js")).parseYaml }),
  },
  {
    format: "code",
    extensions: [".sql"],
    isIsolated: true,
    load: async () => ({ text: (await import("./sql.js")).parseSql }),
  },
];

/** Languages, the grammar that reads each, and the extensions of its files. C is read as C++, which takes nearly all of it. */
const languages: readonly (readonly [language: string, grammar: string, extensions: string])[] = [
  ["python", "python", ".py .pyi"],
  ["javascript", "javascript", ".js .mjs .cjs .jsx"],
  ["typescript", "typescript", ".ts .mts .cts"],
  ["tsx", "tsx", ".tsx"],
  ["java", "java", ".java"],
  ["go", "go", ".go"],
  ["rust", "rust", ".rs"],
  ["c", "cpp", ".c .h"],
  ["cpp", "cpp", ".cpp .cc .cxx .hpp .hh .hxx"],
  ["csharp", "c-sharp", ".cs"],
  ["ruby", "ruby", ".rb"],
  ["bash", "bash", ".sh .bash"],
];

const code: readonly FormatReader[] = languages.map(([language, grammar, extensions]) => ({
  format: "code",
  extensions: extensions.split(" "),
  isIsolated: true,
  load: async () => {
    const { codeParser } = await import("./code.js");
    return { text: await codeParser(language, `@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`) };
  },
}));

const byExtension = new Map(
  [...documents, ...data, ...code].flatMap((reader) =>
    reader.extensions.map((extension) => [extension, reader] as const),
  ),
);

/** The extensions that can be read, with their dots, in lower case. */
export const supportedExtensions: readonly string[] = [...byExtension.keys()];

/** What reads files of an extension, in lower case with its dot. */
export function readerOf(extension: string): FormatReader | undefined {
  return byExtension.get(extension);
}

/** Other names of languages, where people write code into documents. */
const languageNames: Readonly<Record<string, string>> = {
  python3: ".py",
  javascript: ".js",
  typescript: ".ts",
  golang: ".go",
  rust: ".rs",
  python: ".py",
  "c++": ".cpp",
  csharp: ".cs",
  "c#": ".cs",
  ruby: ".rb",
  jsonc: ".json",
};
/**
 * Read without a process of their own, these take time that grows with the square of their length or worse on code that is
 * made for it; the statements of shells stand on lines of their own anyhow.
 */
const guarded = new Set([".sh", ".bash", ".yaml", ".yml"]);

/** What reads code of a language within a document, by the language's name or the extension of its files. */
export function readerOfLanguage(language: string): FormatReader | undefined {
  const extension = languageNames[language] ?? `.${language}`;
  const reader = readerOf(extension);
  const isCode = reader?.format === "code" || reader?.format === "json";
  return isCode && !guarded.has(extension) ? reader : undefined;
}
