import { posix } from "node:path";
import { readXml } from "./xml-events.js";
import type { ZipArchive } from "./zip-archive.js";

/** A file that a part of an Office document points to. */
export interface Relation {
  readonly id: string;
  /** Last word of its type, such as "slide" or "notesSlide". */
  readonly type: string;
  /** Name in the archive. */
  readonly target: string;
}

/** The relations of a part of an Office document, in the order of its file. */
export async function readRelations(archive: ZipArchive, part: string): Promise<Relation[]> {
  const { dir, base } = posix.parse(part);
  const source = await archive.text(posix.join(dir, "_rels", `${base}.rels`));
  const relations: Relation[] = [];
  if (source === undefined) return relations;
  readXml(source, {
    open: ({ name, attributes: { Id = "", Type = "", Target = "", TargetMode } }) => {
      if (name !== "Relationship" || TargetMode === "External") return;
      const target = Target.startsWith("/") ? Target.slice(1) : posix.join(dir, Target);
      relations.push({ id: Id, type: Type.slice(Type.lastIndexOf("/") + 1), target });
    },
  });
  return relations;
}
