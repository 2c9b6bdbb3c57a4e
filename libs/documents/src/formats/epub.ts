import { posix } from "node:path";
import { DocumentError } from "../document-error.js";
import type { ParsedText } from "../source-document.js";
import { BlockWriter } from "./block-writer.js";
import { parseHtml } from "./html-blocks.js";
import { readXml } from "./xml-events.js";
import { ZipArchive } from "./zip-archive.js";

const voidTags = new Set("area base br col embed hr img input link meta source track wbr".split(" "));

/**
 * Books in EPUB 2 and 3: the pages of the spine in its order. Tables of contents repeat the headings; these and pages that
 * are not in the spine are left out and counted.
 */
export async function parseEpub(bytes: Uint8Array): Promise<ParsedText> {
  const archive = await ZipArchive.open(bytes);
  const writer = new BlockWriter();
  const encrypted = await encryptedFiles(archive);
  const { read, leftOut } = await readingOrder(archive);
  let skipped = await archive.charactersOf((name) => leftOut.has(name));
  for (const path of read) {
    if (encrypted.has(path)) {
      throw new DocumentError("encrypted", `is protected by a key (its page ${path} is encrypted); use a copy without`);
    }
    const page = await archive.text(path);
    if (page === undefined) continue;
    const parsed = parseHtml(toHtml(page), { titleIsHeading: false });
    skipped += parsed.skippedCharacters;
    writer.addParsed(parsed, { path });
  }
  return writer.finish(skipped);
}

/** The pages of the book, and those that are not read. */
async function readingOrder(archive: ZipArchive): Promise<{ read: string[]; leftOut: ReadonlySet<string> }> {
  let packagePath = "";
  readXml(await archive.required("META-INF/container.xml"), {
    open: ({ name, attributes }) => {
      if (name === "rootfile") packagePath ||= attributes["full-path"] ?? "";
    },
  });
  const pages = new Map<string, string>();
  const leftOut = new Set<string>();
  const order: string[] = [];
  readXml(await archive.required(packagePath), {
    open: ({ name, attributes: { id, href, idref, properties, "media-type": type = "" } }) => {
      if (name === "item" && id && href && /html/.test(type)) {
        const path = posix.join(posix.dirname(packagePath), decodeURIComponent(href));
        leftOut.add(path);
        if (!properties?.split(" ").includes("nav")) pages.set(id, path);
      } else if (name === "itemref" && idref) order.push(idref);
    },
  });
  const read = order.flatMap((id) => pages.get(id) ?? []);
  for (const path of read) leftOut.delete(path);
  return { read, leftOut };
}

async function encryptedFiles(archive: ZipArchive): Promise<Set<string>> {
  const files = new Set<string>();
  readXml((await archive.text("META-INF/encryption.xml")) ?? "<none/>", {
    open: ({ name, attributes: { URI } }) => {
      if (name === "CipherReference" && URI) files.add(decodeURIComponent(URI));
    },
  });
  return files;
}

/** HTML knows no elements that close themselves: it would take all that follows for what is in them. Nor prefixes. */
function toHtml(xhtml: string): string {
  const [, prefix] = /\sxmlns:([\w-]+)=["']http:\/\/www\.w3\.org\/1998\/Math\/MathML["']/.exec(xhtml) ?? [];
  const plain = prefix === undefined ? xhtml : xhtml.replace(new RegExp(`<(/?)${prefix}:`, "g"), "<$1");
  return plain.replace(/<([A-Za-z][\w:-]*)((?:\s[^<>]*)?)\/>/g, (all, tag: string, attributes: string) =>
    voidTags.has(tag) ? all : `<${tag}${attributes}></${tag}>`,
  );
}
