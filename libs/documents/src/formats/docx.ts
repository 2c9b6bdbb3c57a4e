import mammoth from "mammoth";
import type { ParsedText } from "../source-document.js";
import { DocxObjects } from "./docx-objects.js";
import { parseHtml } from "./html-blocks.js";
import { replaceMath } from "./office-math.js";
import { ZipArchive } from "./zip-archive.js";

/** Styles beyond mammoth's own that say what a paragraph is. */
const styleMap = [
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='Subtitle'] => p:fresh",
  "p[style-name='caption'] => figcaption:fresh",
  "p[style-name='Caption'] => figcaption:fresh",
  "p[style-name='Image Caption'] => figcaption:fresh",
  "p[style-name='Table Caption'] => figcaption:fresh",
  "p[style-name='Source Code'] => pre:separator('\\n')",
  "p[style-name='Preformatted Text'] => pre:separator('\\n')",
  "p[style-name='HTML Preformatted'] => pre:separator('\\n')",
];

/** Parts of a document that hold text which is not of its body. */
const leftOut =
  /^word\/(?:(?:header|footer|comments)\d*|charts\/chart(?:Ex)?\d*|diagrams\/data\d*|drawings\/drawing\d*)\.xml$/;
/** Tags of elements that only hold others, and which mammoth would leave out with all that is in them. */
const wrappers =
  /<\/?(?:w:(?:fldSimple|ruby|rt|rubyBase|dir|bdo)|v:(?:oval|line|polyline|arc|curve))(?:\s(?:[^<>"']|"[^"]*"|'[^']*')*)?>/g;

/** Pictures become what they are said to show, which DocxObjects knows; its types say less than mammoth takes. */
const noImage = (async () => []) as unknown as ReturnType<typeof mammoth.images.imgElement>;

/**
 * Word documents: body, text boxes, formulas as LaTeX, charts, diagrams, what pictures are said to show, footnotes and
 * endnotes. Headers, footers and comments are left out and counted.
 */
export async function parseDocx(bytes: Uint8Array): Promise<ParsedText> {
  const archive = await ZipArchive.open(bytes);
  const objects = new DocxObjects(archive);
  const { value } = await mammoth.convertToHtml(asInput(archive, objects), {
    styleMap,
    convertImage: noImage,
  });
  const html = objects.fill(value).replace(/ ?<a href="#[^"]*">↑<\/a>/g, "");
  const { text, blocks, skippedCharacters } = parseHtml(html, { firstRowIsHeader: true });
  return {
    text,
    blocks,
    skippedCharacters:
      skippedCharacters +
      objects.skippedCharacters +
      (await archive.charactersOf((name) => leftOut.test(name) && !objects.wasRead(name))),
  };
}

/** The archive as mammoth reads it, so that limits hold and what mammoth does not know is made known to it. */
function asInput(archive: ZipArchive, objects: DocxObjects): Parameters<typeof mammoth.convertToHtml>[0] {
  const file = {
    exists: (name: string) => archive.has(name),
    read: async (name: string) => objects.mark(name, prepared(await archive.required(name))),
  };
  // Beside what its types say, it takes an archive that is open.
  return { file } as unknown as { buffer: Buffer };
}

function prepared(xml: string): string {
  const asRun = (latex: string): string => `<w:r><w:t xml:space="preserve">${latex}</w:t></w:r>`;
  return replaceMath(xml, asRun).replace(wrappers, "").replaceAll("<w:cr/>", "<w:br/>");
}
