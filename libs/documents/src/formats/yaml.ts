import { isCollection, isMap, isPair, parseAllDocuments } from "yaml";
import type { BlockBreak } from "../block.js";
import type { ParsedText } from "../source-document.js";

/**
 * YAML: one block that may be cut at keys and items. The text stays as it is; aliases are not expanded. What is no valid
 * YAML, such as a template of it, is kept without these positions.
 */
export function parseYaml(text: string): ParsedText {
  const start = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  if (start >= end) return { text, blocks: [], skippedCharacters: 0 };
  const breaks = findBreaks(text).filter(({ at }) => at > start && at < end);
  return { text, blocks: [{ kind: "code", language: "yaml", start, end, breaks }], skippedCharacters: 0 };
}

interface Visit {
  readonly node: unknown;
  readonly level: number;
}

function findBreaks(text: string): BlockBreak[] {
  const levels = new Map<number, number>();
  const add = (offset: number, level: number) => {
    const at = lineStart(text, offset);
    levels.set(at, Math.min(level, levels.get(at) ?? Infinity));
  };
  for (const document of readDocuments(text)) {
    if (document.range) add(document.range[0], 0);
    const work: Visit[] = [{ node: document.contents, level: 0 }];
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const { node, level } = next;
      if (!isCollection(node)) continue;
      for (const [i, item] of node.items.entries()) {
        const [key, value] = isMap(node) && isPair(item) ? [item.key, item.value] : [item, item];
        const range = (key as { range?: [number, number, number] | null } | null)?.range;
        // What comes first in a document starts where that does.
        if (range && (level > 0 || i > 0)) add(range[0], level);
        work.push({ node: value, level: level + 1 });
      }
    }
  }
  return [...levels].map(([at, level]) => ({ at, level })).sort((a, b) => a.at - b.at);
}

function readDocuments(text: string): ReturnType<typeof parseAllDocuments> & readonly unknown[] {
  try {
    return parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent" });
  } catch (error) {
    // Nested deeper than the stack.
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/** Where the line of a key or item starts, dashes and comments above included; inside a line the offset itself. */
function lineStart(text: string, offset: number): number {
  let start = text.lastIndexOf("\n", offset - 1) + 1;
  if (!/^[\s-]*$/.test(text.slice(start, offset))) return offset;
  while (start > 0) {
    const before = text.lastIndexOf("\n", start - 2) + 1;
    if (!/^\s*#/.test(text.slice(before, start))) break;
    start = before;
  }
  return start;
}
