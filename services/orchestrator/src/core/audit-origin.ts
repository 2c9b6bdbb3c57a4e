import { documentOf } from "@ragline/artifacts";
import type { AuditOrigin } from "@ragline/evaluation";

/** Where a chunk comes from, by its metadata, whichever chunker made it. */
export function auditOrigin(metadataJson: string): AuditOrigin {
  const metadata = JSON.parse(metadataJson) as Record<string, unknown>;
  const { content_type: contentType, heading_text: heading, section_path: path } = metadata;
  const section = Array.isArray(path) ? path.filter((title) => typeof title === "string") : [];
  // Some chunkers write the titles above a chunk alone, or none of them.
  if (typeof heading === "string" && heading !== "" && section.at(-1) !== heading) section.push(heading);
  return {
    document: documentOf(metadata),
    contentType: typeof contentType === "string" ? contentType : "unknown",
    section,
  };
}
