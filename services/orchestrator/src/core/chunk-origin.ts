import { documentOf } from "@ragline/artifacts";
import type { Stratum } from "@ragline/evaluation";

/** Where a chunk comes from. */
export interface ChunkOrigin extends Stratum {
  /** The sections that it has parts of, the one that holds it first, each as the titles down to it; none make the root. */
  readonly sections: readonly (readonly string[])[];
}

/** Where a chunk comes from, by its metadata, whichever chunker made it. */
export function originOf(metadata: Readonly<Record<string, unknown>>): ChunkOrigin {
  const { content_type: contentType, heading_text: heading, section_path: path, section_paths: paths } = metadata;
  const own = titlesOf(path);
  // Some chunkers write the titles above a chunk alone, or none of them.
  if (typeof heading === "string" && heading !== "" && own.at(-1) !== heading) own.push(heading);
  const others = Array.isArray(paths) ? paths.map(titlesOf) : [];
  return {
    document: documentOf(metadata),
    contentType: typeof contentType === "string" ? contentType : "unknown",
    sections: [own, ...others],
  };
}

function titlesOf(path: unknown): string[] {
  return Array.isArray(path) ? path.filter((title) => typeof title === "string") : [];
}
