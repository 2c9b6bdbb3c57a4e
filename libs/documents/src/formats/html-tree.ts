import type { DefaultTreeAdapterTypes } from "parse5";

/** A node of a page. */
export type Node = DefaultTreeAdapterTypes.Node;
/** A node that has others below it. */
export type ParentNode = DefaultTreeAdapterTypes.ParentNode;
/** A node with a tag. */
export type Element = DefaultTreeAdapterTypes.Element;

/** A run of text. */
export type TextNode = DefaultTreeAdapterTypes.TextNode;

/** Elements whose text no reader of the page sees. */
const hiddenTags = new Set("head script style template noscript iframe object canvas audio video svg".split(" "));

/**
 * Visits a tree in document order, without recursion, for pages may be nested deeper than the stack.
 * @param enter Returns what to do behind a node's children, or "skip" to leave them out.
 */
export function walk(root: Node, enter: (node: Node) => (() => void) | "skip" | undefined): void {
  const work: (Node | (() => void))[] = [root];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    if (typeof next === "function") {
      next();
      continue;
    }
    const leave = enter(next);
    if (leave === "skip") continue;
    if (leave !== undefined) work.push(leave);
    const children = childrenOf(next);
    for (let i = children.length - 1; i >= 0; i--) work.push(children[i] as Node);
  }
}

/** All text in an element, comments and a template's contents included. */
export function textOf(element: Element): string {
  const parts: string[] = [];
  walk(element, (node) => {
    if ("value" in node) parts.push(node.value);
    else if ("data" in node) parts.push(node.data);
    return undefined;
  });
  return parts.join("");
}

/** The text nodes in an element. */
export function textNodes(element: Element): TextNode[] {
  const nodes: TextNode[] = [];
  walk(element, (node) => {
    if (node.nodeName === "#text") nodes.push(node as TextNode);
    return undefined;
  });
  return nodes;
}

/** The elements right below a node. */
export function childElements(parent: ParentNode): Element[] {
  return parent.childNodes.filter((child): child is Element => "tagName" in child);
}

/** Whether no reader of the page sees an element, by its tag or its attributes. */
export function isHidden(element: Element): boolean {
  if (hiddenTags.has(element.tagName)) return true;
  return element.attrs.some(
    ({ name, value }) =>
      name === "hidden" ||
      (name === "style" && /display\s*:\s*none/i.test(value)) ||
      // How KaTeX draws a formula, which is there as MathML as well.
      (name === "class" && value === "katex-html"),
  );
}

function childrenOf(node: Node): readonly Node[] {
  if ("content" in node) return [node.content];
  return "childNodes" in node ? node.childNodes : [];
}
