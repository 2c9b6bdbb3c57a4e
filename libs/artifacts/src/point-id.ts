import { createHash } from "node:crypto";
import { IdTable } from "./id-table.js";
import { sha256Of } from "./sha256-file.js";

/**
 * Namespace of Ragline's point ids: the UUIDv5 of "urn:ragline:point" in the URL namespace of RFC 9562
 * (6ba7b811-9dad-11d1-80b4-00c04fd430c8). It must never change: ids of points that are already uploaded depend on it.
 */
export const POINT_NAMESPACE = "952b52b0-6b1e-5022-b18d-9aa8384176e6";

/** UUID version 5 (RFC 9562, section 5.5) of a name in a namespace. */
export function uuidV5(namespace: string, name: string): string {
  const digest = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name, "utf8")
    .digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString("hex", 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * Id of a chunk's point: UUIDv5 over collection and content, so that a second upload replaces points instead of adding.
 * The name is `<collection>\n<sha256 of the text, hex>`, followed by `#n` for the nth chunk of the same text, n >= 2.
 * @param occurrence 1 for the first chunk of this text in the collection.
 */
export function pointId(collection: string, text: string, occurrence = 1): string {
  return idOfContent(collection, sha256Of(text), occurrence);
}

/**
 * Gives each chunk of a collection its id, in chunk order: the nth chunk of the same text becomes occurrence n. Keeps 24 to
 * 40 bytes per distinct text.
 */
export function pointIds(collection: string): (text: string) => string {
  const firsts = new IdTable();
  const occurrences = new Map<string, number>();
  return (text) => {
    const hash = sha256Of(text);
    const first = idOfContent(collection, hash, 1);
    if (firsts.rowOf(first) === undefined) {
      firsts.add(first);
      return first;
    }
    const occurrence = (occurrences.get(first) ?? 1) + 1;
    occurrences.set(first, occurrence);
    return idOfContent(collection, hash, occurrence);
  };
}

const idOfContent = (collection: string, hash: string, occurrence: number) =>
  uuidV5(POINT_NAMESPACE, `${collection}\n${hash}${occurrence > 1 ? `#${occurrence}` : ""}`);
