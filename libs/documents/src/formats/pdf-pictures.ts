import { isPictureDescription } from "./picture-description.js";

/** A node of a page's structure, as pdf.js has it where the PDF is tagged. */
export interface PdfStructure {
  readonly role?: string;
  readonly alt?: string;
  readonly children?: readonly PdfStructure[];
}

/** What the pictures of a page are said to show. */
export interface PdfPictures {
  readonly descriptions: readonly string[];
  /** Characters of what no one wrote, and of what the page says as well. */
  readonly skippedCharacters: number;
}

const pictureRoles = new Set(["Figure", "Formula"]);

/**
 * Finds the alternative texts of a tagged page.
 * @param pageText Words of the page, which often has them as a caption.
 */
export function pdfPictures(structure: PdfStructure | null, pageText: string): PdfPictures {
  const descriptions = new Set<string>();
  let skippedCharacters = 0;
  const words = comparable(pageText);
  const open: PdfStructure[] = structure === null ? [] : [structure];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const child of node.children?.toReversed() ?? []) open.push(child);
    const alt = pictureRoles.has(node.role ?? "") ? (node.alt ?? "").trim() : "";
    if (alt === "" || descriptions.has(alt)) continue;
    if (isPictureDescription(alt) && !words.includes(comparable(alt))) descriptions.add(alt);
    else skippedCharacters += alt.length;
  }
  return { descriptions: [...descriptions], skippedCharacters };
}

/** Words without white space, which PDFs have where they like. */
function comparable(words: string): string {
  return words.replace(/\s+/g, "").toLowerCase();
}
