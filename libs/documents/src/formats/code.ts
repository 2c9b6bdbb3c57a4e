import { createRequire } from "node:module";
import { Language, type Node, Parser } from "web-tree-sitter";
import type { BlockBreak } from "../block.js";
import type { ParsedText } from "../source-document.js";
import type { ParseText } from "./format-reader.js";

const require = createRequire(import.meta.url);

/** Nodes that only hold others: what is in them is one level below what they belong to, not two. */
const container =
  /(?:^|_)(?:block|body|list|suite|statements)$|^(?:compound_statement|then|do_group|program|translation_unit|source_file|compilation_unit|module)$/;
/** Nodes whose lines are no statements. */
const opaque = /string|comment|heredoc|template/;
/** Nodes that belong to what comes behind them. */
const leading = /comment|attribute_item|decorator|annotation/;

/**
 * What reads source code of a language by its tree-sitter grammar: one block that may be cut between statements, the
 * outer ones first. Comments stay with what they stand above. The text stays as it is, also where it has errors.
 * @param grammar Name of the grammar's file without its ending.
 */
export async function codeParser(language: string, grammar: string): Promise<ParseText> {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(require.resolve(grammar)));
  return (text) => parseCode(text, language, parser);
}

function parseCode(text: string, language: string, parser: Parser): ParsedText {
  const start = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  if (start >= end) return { text, blocks: [], skippedCharacters: 0 };
  const tree = parser.parse(text);
  const breaks = tree === null ? [] : findBreaks(text, tree.rootNode).filter(({ at }) => at > start && at < end);
  tree?.delete();
  return { text, blocks: [{ kind: "code", language, start, end, breaks }], skippedCharacters: 0 };
}

/** Without recursion, for code may be nested deeper than the stack; only nodes of several lines are entered. */
function findBreaks(text: string, root: Node): BlockBreak[] {
  const breaks: BlockBreak[] = [];
  const work: { node: Node; level: number }[] = [{ node: root, level: 0 }];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    const { node, level } = next;
    const inner: { node: Node; level: number }[] = [];
    let above: Node | undefined;
    for (const child of node.namedChildren) {
      if (child === null) continue;
      const at = lineStart(text, child.startIndex);
      const isHeld = above !== undefined && leading.test(above.type) && child.startPosition.row - endRow(above) <= 1;
      // A child that stands where its parent does is the same statement.
      const isSame = child.startIndex === node.startIndex && !container.test(node.type);
      const isStatement = at !== undefined && !isSame && !container.test(child.type);
      if (isStatement && !isHeld) breaks.push({ at, level });
      const isOneLine = child.endPosition.row === child.startPosition.row;
      const holdsLines = !isOneLine || (at !== undefined && container.test(child.type));
      if (holdsLines && !opaque.test(child.type)) {
        // What stands under its own decorator is no statement in another, but under a comment it is one beside it.
        const isDeeper = isStatement && (!isHeld || container.test(node.type));
        inner.push({ node: child, level: isDeeper ? level + 1 : level });
      }
      above = child;
    }
    for (const child of inner.reverse()) work.push(child);
  }
  return breaks.sort((a, b) => a.at - b.at || a.level - b.level).filter(({ at }, i, all) => at !== all[i - 1]?.at);
}

/** A comment's node may hold its line break. */
function endRow({ endPosition }: Node): number {
  return endPosition.column === 0 ? endPosition.row - 1 : endPosition.row;
}

/** The start of the line that an offset stands in, undefined when it is not the first thing there. */
function lineStart(text: string, offset: number): number | undefined {
  let start = offset;
  while (start > 0 && (text[start - 1] === " " || text[start - 1] === "\t")) start--;
  return start === 0 || text[start - 1] === "\n" || text[start - 1] === "\r" ? start : undefined;
}
