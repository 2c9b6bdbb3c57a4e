import { type Element, textOf, walk } from "./html-tree.js";
import { escapedLatex, fraction, grouped, matrix, matrixRow, operators, root, scripts } from "./latex.js";

/** Formulas nested deeper are no one's; the time to read one grows with its length times this. */
const maxDepth = 256;
const texEncodings = /^(?:application\/x-(?:la)?tex|(?:la)?tex)$/i;
/** What marks over and under letters become. */
const accents: Readonly<Record<string, string>> = {
  "^": "hat",
  ˆ: "hat",
  "~": "tilde",
  "˜": "tilde",
  "¯": "bar",
  "‾": "overline",
  "→": "vec",
  "⃗": "vec",
  "˙": "dot",
  "¨": "ddot",
  ˇ: "check",
  "´": "acute",
  "`": "grave",
  "˘": "breve",
  "⏞": "overbrace",
};
const underlines: Readonly<Record<string, string>> = {
  "\\_": "underline",
  "¯": "underline",
  "‾": "underline",
  "⏟": "underbrace",
};
/** Multiplication, separation and addition that no one sees, and the application of a function. */
const invisible: Readonly<Record<string, string>> = { "\u2061": " ", "\u2062": "", "\u2063": "", "\u2064": "" };
const tokens = new Set(["mi", "mn", "mo", "mtext", "ms"]);

/** An element of a formula, and what is in it. */
interface MathNode {
  readonly name: string;
  readonly element: Element;
  /** What the elements in it became. */
  readonly parts: MathPart[];
}

interface MathPart {
  readonly name: string;
  readonly latex: string;
}

/**
 * The formula of a `math` element (MathML Core and MathML 3, presentation markup) in LaTeX: that of its author where it has
 * one as an annotation, else made of its elements. Letters and signs stay as they are; elements that are not known become
 * what is in them. Empty for formulas nested more than 256 deep.
 */
export function mathmlToLatex(math: Element): string {
  const open: MathNode[] = [{ name: "", element: math, parts: [] }];
  let isTooDeep = false;
  walk(math, (node) => {
    if (!("tagName" in node) || isTooDeep) return "skip";
    const above = open.at(-1) as MathNode;
    const [name, annotation] = [node.tagName, node.tagName === "semantics" ? texAnnotation(node) : undefined];
    if (annotation !== undefined || tokens.has(name)) {
      above.parts.push({ name, latex: annotation ?? tokenLatex(node) });
      return "skip";
    }
    if (name.startsWith("annotation")) return "skip";
    isTooDeep = open.length > maxDepth;
    open.push({ name, element: node, parts: [] });
    return () => {
      const closed = open.pop() as MathNode;
      above.parts.push({ name, latex: toLatex(closed) });
    };
  });
  return isTooDeep
    ? ""
    : row(open[0]?.parts ?? [])
        .replace(/\s+/g, " ")
        .trim();
}

/** Whether a formula stands on lines of its own. */
export function isDisplayed(math: Element): boolean {
  return attribute(math, "display") === "block" || attribute(math, "mode") === "display";
}

function texAnnotation(semantics: Element): string | undefined {
  const annotation = semantics.childNodes.find(
    (child): child is Element =>
      "tagName" in child && child.tagName === "annotation" && texEncodings.test(attribute(child, "encoding")),
  );
  const tex = annotation && textOf(annotation).trim();
  return tex === "" ? undefined : tex?.replace(/^\{\\displaystyle\s+([\s\S]*)\}$/, "$1");
}

function tokenLatex(token: Element): string {
  const text = textOf(token).replace(/\s+/g, " ").trim();
  if (token.tagName === "mtext" || token.tagName === "ms") return text === "" ? " " : `\\text{${escapedLatex(text)}}`;
  return operators[text] ?? invisible[text] ?? escapedLatex(text);
}

function toLatex({ name, element, parts }: MathNode): string {
  const [first = "", second = "", third = ""] = parts.map(({ latex }) => latex);
  switch (name) {
    case "mfrac":
      return fraction(first, second, fractionForm(element));
    case "msqrt":
      return root(row(parts), "");
    case "mroot":
      return root(first, second);
    case "msub":
      return grouped(first) + scripts(second, "");
    case "msup":
      return grouped(first) + scripts("", second);
    case "munder":
      return underlines[second] ? `\\${underlines[second]}{${first}}` : grouped(first) + scripts(second, "");
    case "mover":
      return accents[second] ? `\\${accents[second]}{${first}}` : grouped(first) + scripts("", second);
    case "msubsup":
    case "munderover":
      return grouped(first) + scripts(second, third);
    case "mmultiscripts":
      return multiscripts(parts);
    case "mfenced":
      return fenced(element, parts);
    case "mtable":
      return matrix(parts.map(({ latex }) => latex));
    case "mtr":
      return matrixRow(parts.map(({ latex }) => latex));
    case "mlabeledtr":
      return matrixRow(parts.slice(1).map(({ latex }) => latex));
    case "semantics":
    case "maction":
      return first;
    case "mspace":
      return " ";
    case "mphantom":
      return "";
    default:
      return row(parts);
  }
}

/** Parts in a row, with a space where two would make one word or command. */
function row(parts: readonly MathPart[]): string {
  let last = "";
  const pieces: string[] = [];
  for (const { latex } of parts) {
    if (latex === "") continue;
    const [end, start] = [last.slice(-32), latex.slice(0, 2)];
    const isCommand = /\\[A-Za-z]+$/.test(end);
    const isWord = /\p{L}\p{L}$/u.test(end) || /^\p{L}\p{L}/u.test(start);
    if (/[\p{L}\p{N}]$/u.test(end) && /^[\p{L}\p{N}]/u.test(start) && (isCommand || isWord)) pieces.push(" ");
    pieces.push(latex);
    last = latex;
  }
  return pieces.join("");
}

function fractionForm(element: Element): "linear" | "noBar" | "bar" {
  if (attribute(element, "bevelled") === "true") return "linear";
  return /^0(?:\D|$)/.test(attribute(element, "linethickness")) ? "noBar" : "bar";
}

/** What stands in brackets, which are round and have commas in them unless they say otherwise. */
function fenced(element: Element, parts: readonly MathPart[]): string {
  const separators = attribute(element, "separators", ",").replace(/\s+/g, "");
  const inner = parts.map(({ latex }, i) => (i === 0 ? "" : (separators[i - 1] ?? separators.at(-1) ?? "")) + latex);
  return (
    escapedLatex(attribute(element, "open", "(")) + inner.join("") + escapedLatex(attribute(element, "close", ")"))
  );
}

/** Pairs of indices behind what they belong to, and before it what follows `mprescripts`. */
function multiscripts(parts: readonly MathPart[]): string {
  const middle = parts.findIndex(({ name }) => name === "mprescripts");
  const [base, ...behind] = middle < 0 ? parts : parts.slice(0, middle);
  const before = middle < 0 ? [] : parts.slice(middle + 1);
  const pairs = (indices: readonly MathPart[]): string => {
    const every = (offset: number) => indices.filter((_, i) => i % 2 === offset).map(({ latex }) => latex);
    return scripts(every(0).join(""), every(1).join(""));
  };
  return (before.length > 0 ? `{}${pairs(before)}` : "") + grouped(base?.latex ?? "") + pairs(behind);
}

function attribute(element: Element, name: string, otherwise = ""): string {
  return element.attrs.find((attr) => attr.name === name)?.value.trim() ?? otherwise;
}
