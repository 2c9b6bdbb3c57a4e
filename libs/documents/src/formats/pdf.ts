import { getDocumentProxy } from "unpdf";
import type { SourceReference } from "../block.js";
import { DocumentError } from "../document-error.js";
import type { ParsedText } from "../source-document.js";
import { BlockWriter } from "./block-writer.js";
import { type PdfLine, toLines } from "./pdf-lines.js";
import { type PdfStructure, pdfPictures } from "./pdf-pictures.js";

/** A line this much taller than most is a heading. */
const headingHeight = 1.15;
const maxHeadingLength = 200;
/** Lines this much further apart than most are paragraphs of their own. */
const paragraphGap = 1.2;
const commonLeading = 1.2;
/** What stands before the items of a list; the last is the symbol font's. */
const bullet = /^[•◦▪■●○‣⁃∙\uf0b7]/;

/**
 * PDFs that hold text: lines in the order of the file, joined to paragraphs where they stand close; larger letters make
 * headings, bullets lists, and lines of parts that stand far apart tables. Behind the lines of a page stand what its pictures
 * are said to show (in tagged PDFs) and the values of its form; its comments are left out and counted. Pages end with a page
 * break. Scanned pages hold no text and are empty.
 */
export async function parsePdf(bytes: Uint8Array): Promise<ParsedText> {
  if (!Buffer.from(bytes.subarray(0, 1024)).includes("%PDF-")) {
    throw new DocumentError("unparsable", "is no PDF, as its name says; check its name");
  }
  const pages = await readPages(bytes);
  const lines = pages.map((page) => page.lines);
  const body = commonHeight(lines.flat());
  const larger = [...new Set(lines.flat().map(({ height }) => Math.round(height)))]
    .filter((height) => height > body * headingHeight)
    .sort((a, b) => b - a);
  const gap = commonGap(lines) * paragraphGap;
  const writer = new BlockWriter();
  let skipped = 0;
  for (const [i, page] of pages.entries()) {
    const source = { page: i + 1 };
    if (i > 0) writer.addPageBreak();
    for (const { kind, lines: group } of toGroups(page.lines, gap)) {
      if (kind === "table")
        writer.addTable(
          group.map(({ cells }) => cells),
          source,
        );
      else if (kind === "list") writeList(group, writer, source);
      else {
        const text = joinLines(group);
        const level = larger.indexOf(Math.round(group[0]?.height ?? 0));
        const isHeading = level >= 0 && text.length <= maxHeadingLength;
        if (isHeading) writer.add(text, { kind: "heading", depth: Math.min(level + 1, 6), source });
        else writer.add(text, { kind: "paragraph", source });
      }
    }
    for (const description of page.pictures) writer.add(description, { kind: "caption", source });
    writer.add(page.fields.join("\n"), { kind: "paragraph", source });
    skipped += page.skippedCharacters;
  }
  return writer.finish(skipped);
}

interface PdfPage {
  readonly lines: PdfLine[];
  /** Names and values of its form. */
  readonly fields: string[];
  /** What its pictures are said to show. */
  readonly pictures: readonly string[];
  /** Letters of its comments and of names of pictures. */
  readonly skippedCharacters: number;
}

async function readPages(bytes: Uint8Array): Promise<PdfPage[]> {
  // It takes the bytes over, so it gets a copy.
  const document = await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0, stopAtErrors: false }).catch(
    (error: Error) => {
      if (error.name !== "PasswordException") throw error;
      throw new DocumentError("encrypted", "is protected by a password; save it without");
    },
  );
  const pages: PdfPage[] = [];
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    const annotations = (await page.getAnnotations()) as Annotation[];
    const fields = annotations.flatMap(fieldOf);
    const comments = annotations.reduce((sum, { contentsObj }) => sum + (contentsObj?.str?.length ?? 0), 0);
    const lines = toLines(items.filter((item) => "str" in item));
    // A damaged structure does not keep the page from being read.
    const structure = (await page.getStructTree().catch(() => null)) as PdfStructure | null;
    const pictures = pdfPictures(structure, lines.flatMap(({ cells }) => cells).join(""));
    const skippedCharacters = comments + pictures.skippedCharacters;
    pages.push({ lines, fields, pictures: pictures.descriptions, skippedCharacters });
    page.cleanup();
  }
  await document.destroy();
  return pages;
}

/** What is used of an annotation, as pdf.js has it. */
interface Annotation {
  readonly subtype?: string;
  readonly fieldName?: string;
  readonly alternativeText?: string;
  readonly fieldValue?: unknown;
  readonly contentsObj?: { readonly str?: string };
}

/** A field of a form that was filled in; the page itself does not draw it. */
function fieldOf({ subtype, fieldName = "", alternativeText, fieldValue }: Annotation): string[] {
  const value = Array.isArray(fieldValue) ? fieldValue.join(", ") : fieldValue;
  if (subtype !== "Widget" || typeof value !== "string" || value.trim() === "" || value === "Off") return [];
  return [`${alternativeText || fieldName}: ${value}`];
}

/** The height of most letters. */
function commonHeight(lines: readonly PdfLine[]): number {
  const letters = new Map<number, number>();
  for (const { height, cells } of lines) letters.set(height, (letters.get(height) ?? 0) + cells.join("").length);
  return mostFrequent(letters) ?? 0;
}

/** How many line heights most lines are apart. */
function commonGap(pages: readonly (readonly PdfLine[])[]): number {
  const counts = new Map<number, number>();
  for (const lines of pages) {
    for (const [i, line] of lines.entries()) {
      const before = lines[i - 1];
      const gap = before === undefined ? 0 : Math.round(((before.y - line.y) / line.height) * 10) / 10;
      if (before?.height === line.height && gap >= 1 && gap <= 2) counts.set(gap, (counts.get(gap) ?? 0) + 1);
    }
  }
  // Short paragraphs make the gaps between them the most frequent; those inside are the smallest that are not rare.
  const most = Math.max(0, ...counts.values());
  const gaps = [...counts].filter(([, count]) => count >= most / 4).map(([gap]) => gap);
  return gaps.length === 0 ? commonLeading : Math.max(commonLeading, Math.min(...gaps));
}

function mostFrequent(counts: ReadonlyMap<number, number>): number | undefined {
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0];
}

interface Group {
  readonly kind: "paragraph" | "list" | "table";
  readonly lines: PdfLine[];
}

/** Lines that stand together. */
function toGroups(lines: readonly PdfLine[], gap: number): Group[] {
  const groups: Group[] = [];
  for (const [i, line] of lines.entries()) {
    const before = lines[i - 1];
    const last = groups.at(-1);
    const distance = before === undefined ? Infinity : before.y - line.y;
    const isSameSize = Math.abs(line.height - (before?.height ?? 0)) < 1;
    const isClose = distance >= 0 && distance < Math.max(line.height, before?.height ?? 0) * gap && isSameSize;
    const kind = bullet.test(line.cells[0] ?? "") ? "list" : line.cells.length > 1 ? "table" : "paragraph";
    const continues =
      kind === "paragraph" ? isClose && last?.kind !== "table" : last?.kind === kind && isSameSize && distance >= 0;
    if (continues) last?.lines.push(line);
    else groups.push({ kind, lines: [line] });
  }
  return groups;
}

function writeList(lines: readonly PdfLine[], writer: BlockWriter, source: SourceReference): void {
  const items: PdfLine[][] = [];
  for (const line of lines) {
    if (bullet.test(line.cells[0] ?? "")) items.push([line]);
    else items.at(-1)?.push(line);
  }
  const texts = items.map(joinLines);
  const breaks = texts.slice(0, -1).reduce<number[]>((at, text) => [...at, (at.at(-1) ?? 0) + text.length + 1], []);
  writer.add(texts.join("\n"), { kind: "list", breaks: breaks.map((at) => ({ at, level: 0 })), source });
}

/** Lines with a space between; a word that was divided at a soft hyphen is made whole. */
function joinLines(lines: readonly PdfLine[]): string {
  return lines
    .map(({ cells }) => cells.join(" "))
    .join(" ")
    .replace(/(\p{L})\u00ad /gu, "$1");
}
