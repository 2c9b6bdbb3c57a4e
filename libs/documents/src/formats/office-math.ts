import { escapedLatex, fraction, grouped, matrix, matrixRow, operators, root, scripts } from "./latex.js";
import { readXml } from "./xml-events.js";
import { xmlEscaped } from "./xml-text.js";

/** What is known of an element of a formula until it ends. */
interface MathNode {
  readonly name: string;
  /** Settings such as the sign of a sum, by the names of their elements. */
  readonly settings: Map<string, string>;
  /** What its arguments became, by the names of their elements. */
  readonly parts: Map<string, string[]>;
  latex: string;
}

const settingNames = new Set("chr begChr endChr sepChr type pos degHide subHide supHide".split(" "));
const partNames = new Set("num den e sub sup deg fName lim mr".split(" "));
const fractionForms: Readonly<Record<string, "linear" | "noBar">> = { lin: "linear", noBar: "noBar" };
const accents: Readonly<Record<string, string>> = {
  "\u0300": "grave",
  "\u0301": "acute",
  "\u0302": "hat",
  "\u0303": "tilde",
  "\u0304": "bar",
  "\u0305": "overline",
  "\u0306": "breve",
  "\u0307": "dot",
  "\u0308": "ddot",
  "\u030c": "check",
  "\u20d7": "vec",
};

/**
 * The formula of an `m:oMath` element (Office Math Markup, ECMA-376 part 1, 22.1) in LaTeX; letters and signs that LaTeX
 * has commands for stay as they are. Elements that are not known become what is in them.
 * @throws Error when it is not well-formed.
 */
export function mathToLatex(xml: string): string {
  const root: MathNode = newNode("");
  const open: MathNode[] = [root];
  readXml(xml, {
    open: ({ name, attributes }) => {
      if (settingNames.has(name))
        open.findLast((node) => !node.name.endsWith("Pr"))?.settings.set(name, attributes.val ?? "");
      open.push(newNode(name));
    },
    text: (text) => {
      const node = open.at(-1);
      if (node?.name === "t") node.latex += escapedLatex(text);
    },
    close: () => {
      const node = open.pop() ?? root;
      const above = open.at(-1) ?? root;
      const latex = toLatex(node);
      if (partNames.has(node.name)) above.parts.set(node.name, [...(above.parts.get(node.name) ?? []), latex]);
      else above.latex += latex;
    },
  });
  return root.latex.replace(/\s+/g, " ").trim();
}

/**
 * Replaces the formulas of a part of an Office document by text that stands for them.
 * @param asText Makes XML for a formula's LaTeX, whose special signs are escaped.
 */
export function replaceMath(xml: string, asText: (latex: string) => string): string {
  const parts: string[] = [];
  let at = 0;
  for (const { index, 0: tag, 1: prefix = "", 2: name = "" } of xml.matchAll(
    /<(\w+:)?(oMathPara|oMath)(?=[\s>])[^<>]*>/g,
  )) {
    if (index < at || tag.endsWith("/>")) continue;
    const closing = `</${prefix}${name}>`;
    const end = xml.indexOf(closing, index);
    if (end < 0) break;
    const sign = name === "oMathPara" ? "$$" : "$";
    const latex = mathToLatex(xml.slice(index, end + closing.length));
    parts.push(xml.slice(at, index), latex === "" ? "" : asText(xmlEscaped(`${sign}${latex}${sign}`)));
    at = end + closing.length;
  }
  return parts.length === 0 ? xml : parts.join("") + xml.slice(at);
}

function newNode(name: string): MathNode {
  return { name, settings: new Map(), parts: new Map(), latex: "" };
}

function toLatex({ name, settings, parts, latex }: MathNode): string {
  const part = (of: string): string => (parts.get(of) ?? []).join("");
  const indices = (): string => {
    const [sub, sup] = [
      settings.get("subHide") === "1" ? "" : part("sub"),
      settings.get("supHide") === "1" ? "" : part("sup"),
    ];
    return scripts(sub, sup);
  };
  switch (name) {
    case "f":
      return fraction(part("num"), part("den"), fractionForms[settings.get("type") ?? ""] ?? "bar");
    case "sSub":
    case "sSup":
    case "sSubSup":
      return grouped(part("e")) + indices();
    case "sPre":
      return `{}${indices()}${part("e")}`;
    case "rad": {
      const degree = settings.get("degHide") === "1" ? "" : part("deg");
      return root(part("e"), degree);
    }
    case "nary": {
      const sign = settings.get("chr") ?? "∫";
      return `${operators[sign] ?? sign}${indices()} ${part("e")}`;
    }
    case "d": {
      const [first, separator, last] = [
        settings.get("begChr") ?? "(",
        settings.get("sepChr") ?? "|",
        settings.get("endChr") ?? ")",
      ];
      return escapedLatex(first) + (parts.get("e") ?? []).join(separator) + escapedLatex(last);
    }
    case "func":
      return `${part("fName")} ${part("e")}`;
    case "limLow":
      return `${grouped(part("e"))}_{${part("lim")}}`;
    case "limUpp":
      return `${grouped(part("e"))}^{${part("lim")}}`;
    case "acc":
      return `\\${accents[settings.get("chr") ?? "\u0302"] ?? "hat"}{${part("e")}}`;
    case "bar":
      return `\\${settings.get("pos") === "top" ? "overline" : "underline"}{${part("e")}}`;
    case "eqArr":
      return (parts.get("e") ?? []).join(" \\\\ ");
    case "mr":
      return matrixRow(parts.get("e") ?? []);
    case "m":
      return matrix(parts.get("mr") ?? []);
    default:
      return latex + [...parts.values()].flat().join("");
  }
}
