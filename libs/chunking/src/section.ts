import type { Block } from "@ragline/documents";

/** A heading and what stands under it up to the next heading of its level or above. The root has no heading. */
export interface Section {
  readonly parent: Section | undefined;
  readonly heading: Block | undefined;
  /** Titles of the headings from the outermost to this section's own. */
  readonly path: readonly string[];
  /** What stands under the heading before the first subsection. */
  readonly body: Block[];
  readonly children: Section[];
}

/** The tree of sections that the headings of a document make. */
export function toSections(blocks: readonly Block[]): Section {
  const root: Section = { parent: undefined, heading: undefined, path: [], body: [], children: [] };
  let current = root;
  for (const block of blocks) {
    if (block.kind !== "heading") {
      current.body.push(block);
      continue;
    }
    let parent = current;
    while (parent.parent !== undefined && (parent.heading?.depth ?? 0) >= (block.depth ?? 1)) parent = parent.parent;
    const path = block.title ? [...parent.path, block.title] : parent.path;
    current = { parent, heading: block, path, body: [], children: [] };
    parent.children.push(current);
  }
  return root;
}

/** The innermost section that holds both. */
export function commonSection(a: Section, b: Section): Section {
  const around = new Set<Section>();
  for (let at: Section | undefined = a; at !== undefined; at = at.parent) around.add(at);
  let at = b;
  while (!around.has(at) && at.parent !== undefined) at = at.parent;
  return at;
}
