import PostalMime, { type Address } from "postal-mime";
import { DocumentError } from "../document-error.js";
import type { ParsedText } from "../source-document.js";
import { BlockWriter } from "./block-writer.js";
import { parseHtml } from "./html-blocks.js";
import { parsePlainText } from "./text-blocks.js";

/** Levels of parts in parts; real messages have a few. */
const maxNesting = 64;

/**
 * Messages as RFC 5322 and MIME have them: the subject as a heading, sender, receivers, date and names of attachments, and
 * the body once, as HTML where it has that. Its other form, and texts that are attached, are left out and counted.
 */
export async function parseEmail(bytes: Uint8Array): Promise<ParsedText> {
  if (!/^[!-9;-~]+:/m.test(Buffer.from(bytes.subarray(0, 4096)).toString("latin1"))) {
    throw new DocumentError("unparsable", "has no header fields, as a message has; check its name");
  }
  const message = await PostalMime.parse(bytes, { maxNestingDepth: maxNesting });
  const writer = new BlockWriter();
  writer.add(message.subject ?? "", { kind: "heading", depth: 1 });
  const attachments = message.attachments.map(({ filename, mimeType }) => `${filename ?? "unnamed"} (${mimeType})`);
  const fields = {
    From: names(message.from ? [message.from] : []),
    To: names(message.to),
    Cc: names(message.cc),
    Date: message.date ?? "",
    Attachments: attachments.join(", "),
  };
  const lines = Object.entries(fields).flatMap(([name, value]) => (value === "" ? [] : [`${name}: ${value}`]));
  writer.add(lines.join("\n"), { kind: "paragraph", source: { path: "header" } });
  const isHtml = (message.html ?? "").trim() !== "";
  const source = { path: isHtml ? "text/html" : "text/plain" };
  const body = isHtml
    ? parseHtml(message.html ?? "", { titleIsHeading: false })
    : parsePlainText((message.text ?? "").replace(/\r\n?/g, "\n").trim());
  writer.addParsed(body, source);
  let skipped = body.skippedCharacters + (isHtml ? (message.text ?? "").trim().length : 0);
  for (const { mimeType, content } of message.attachments) {
    if (/^(?:text|message)\//.test(mimeType))
      skipped += typeof content === "string" ? content.length : content.byteLength;
  }
  return writer.finish(skipped);
}

function names(addresses: readonly Address[] | undefined): string {
  const all = (addresses ?? []).flatMap((address) => address.group ?? [address]);
  return all.map(({ name, address }) => (name ? `${name} <${address}>` : (address ?? ""))).join(", ");
}
