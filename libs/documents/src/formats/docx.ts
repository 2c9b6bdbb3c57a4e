import mammoth from "mammoth";
import type { ParsedText } from "../source-document.js";
import { parseHtml } from "./html-blocks.js";
import { ZipArchive } from "./zip-archive.js";

/** Styles beyond mammoth's own that say what a paragraph is. */
const styleMap = [
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='Subtitle'] => p:fresh",
  "p[style-name='caption'] => figcaption:fresh",
  "p[style-name='Caption'] => figcaption:fresh",
  "p[style-name='Source Code'] => pre:separator('\\n')",
  "p[style-name='Preformatted Text'] => pre:separator('\\n')",
  "p[style-name='HTML Preformatted'] => pre:separator('\\n')",
];

/** Word documents: body, footnotes and endnotes. Headers, footers, comments and pictures are left out. */
export async function parseDocx(bytes: Uint8Array): Promise<ParsedText> {
  // mammoth unpacks the archive itself; looked at first for what is no archive, or would explode.
  await ZipArchive.open(bytes);
  const { value } = await mammoth.convertToHtml(
    { buffer: Buffer.from(bytes) },
    { styleMap, convertImage: mammoth.images.imgElement(async () => ({ src: "" })) },
  );
  const { text, blocks, skippedCharacters } = parseHtml(value, { firstRowIsHeader: true });
  return { text, blocks, skippedCharacters };
}
