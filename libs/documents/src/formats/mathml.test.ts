import { expect, test } from "vitest";
import { parseHtml } from "./html-blocks.js";

const latexOf = (mathml: string): string => parseHtml(`<p>a <math>${mathml}</math> b`).text;

test.each([
  ["signs", "<mi>a</mi><mo>+</mo><mn>7</mn><mo>&lt;</mo><mi>β</mi><mo>%</mo>", "a+7<β\\%"],
  ["a fraction", "<mfrac><mi>a</mi><mrow><mi>b</mi><mo>+</mo><mn>1</mn></mrow></mfrac>", "\\frac{a}{b+1}"],
  ["a binomial", "<mfrac linethickness='0pt'><mi>n</mi><mi>k</mi></mfrac>", "\\binom{n}{k}"],
  ["a fraction on a line", "<mfrac bevelled=true><mi>a</mi><mi>b</mi></mfrac>", "a/b"],
  ["scripts", "<msubsup><mrow><mi>x</mi><mi>y</mi></mrow><mi>i</mi><mn>2</mn></msubsup>", "{xy}_{i}^{2}"],
  ["a sub and a sup", "<msub><mi>x</mi><mn>1</mn></msub><msup><mi>y</mi><mn>2</mn></msup>", "x_{1}y^{2}"],
  [
    "roots",
    "<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt><mroot><mi>y</mi><mn>3</mn></mroot>",
    "\\sqrt{x+1}\\sqrt[3]{y}",
  ],
  [
    "a sum",
    "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>",
    "\\sum_{i=1}^{n}i",
  ],
  ["an integral", "<mo>∫</mo><mi>f</mi>", "\\int f"],
  ["accents", "<mover><mi>x</mi><mo>^</mo></mover><mover><mi>v</mi><mo>→</mo></mover>", "\\hat{x}\\vec{v}"],
  ["lines", "<munder><mi>x</mi><mo>_</mo></munder><mover><mi>z</mi><mo>‾</mo></mover>", "\\underline{x}\\overline{z}"],
  ["over and under", "<munder><mi>lim</mi><mi>n</mi></munder><mover><mo>=</mo><mi>d</mi></mover>", "{lim}_{n}=^{d}"],
  ["a function", "<mi>sin</mi><mo>&#x2061;</mo><mi>x</mi><mi>cos</mi><mi>y</mi>", "sin x cos y"],
  ["a product", "<mn>2</mn><mo>&#x2062;</mo><mi>x</mi>", "2x"],
  [
    "fences",
    "<mfenced open='{' close=''><mi>a</mi><mi>b</mi></mfenced><mfenced separators='; |'><mi>a</mi><mi>b</mi><mi>c</mi><mi>d</mi></mfenced>",
    "\\{a,b(a;b|c|d)",
  ],
  [
    "a matrix",
    "<mtable><mtr><mtd><mi>p</mi></mtd><mtd><mi>q</mi></mtd></mtr><mlabeledtr><mtd>(1)</mtd><mtd><mi>r</mi></mtd></mlabeledtr></mtable>",
    "\\begin{matrix}p & q \\\\ r\\end{matrix}",
  ],
  ["words", "<mi>x</mi><mspace width='1em'></mspace><mtext>if {it} rains</mtext>", "x \\text{if \\{it\\} rains}"],
  [
    "scripts on both sides",
    "<mmultiscripts><mi>C</mi><mn>2</mn><none></none><mprescripts></mprescripts><mn>6</mn><mn>14</mn></mmultiscripts>",
    "{}_{6}^{14}C_{2}",
  ],
  ["what is not seen", "<mphantom><mi>x</mi></mphantom><mi>y</mi>", "y"],
  ["what is not known", "<menclose><mi>q</mi></menclose>", "q"],
  [
    "the author's own",
    "<semantics><mrow><mi>E</mi></mrow><annotation encoding='text/plain'>no</annotation><annotation encoding='application/x-tex'>{\\displaystyle E=mc^2}</annotation></semantics>",
    "E=mc^2",
  ],
  [
    "other annotations",
    "<semantics><mi>E</mi><annotation-xml encoding='x'><ci>F</ci></annotation-xml></semantics>",
    "E",
  ],
])("%s become LaTeX", (_, mathml, latex) => {
  expect(latexOf(mathml)).toBe(`a $${latex}$ b`);
});

test("formulas on lines of their own are blocks", () => {
  const { text, blocks, skippedCharacters } = parseHtml(
    "<p>a<math display='block'><mi>x</mi></math>b</p><ul><li>c<math mode=display><mi>y</mi></math></ul><p>$$z$$</p>",
  );
  expect(text).toBe("a\n\n$$x$$\n\nb\n\n- c\n$$y$$\n\n$$z$$");
  expect(blocks.map(({ kind }) => kind)).toEqual(["paragraph", "formula", "paragraph", "list", "formula"]);
  expect(skippedCharacters).toBe(0);
});

test("the place of a formula is told", () => {
  const source = "<p>a <math>\n<mi>x</mi> <mo>=</mo> <mn>1</mn>\n</math> b";
  const { text, sourceSpans = [] } = parseHtml(source);
  const spans = sourceSpans.flatMap((span) =>
    span.kind === "text" ? [[source.slice(span.start, span.end), text.slice(span.textStart, span.textEnd)]] : [],
  );
  expect(spans).toEqual([
    ["a", "a"],
    ["<math>\n<mi>x</mi> <mo>=</mo> <mn>1</mn>\n</math>", "$x=1$"],
    ["b", "b"],
  ]);
});

test("a formula that is drawn as well is read once", () => {
  const katex =
    "<span class='katex'><span class='katex-mathml'><math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></semantics></math></span><span class='katex-html' aria-hidden='true'><span>x2</span></span></span>";
  expect(parseHtml(`<p>a ${katex} b`)).toMatchObject({ text: "a $x^2$ b", skippedCharacters: 2 });
  expect(parseHtml("<p>a<math style='display:none'><mi>x</mi></math>").skippedCharacters).toBe(1);
});

test.each([
  ["fractions", "<mfrac><mn>1</mn>", ""],
  ["scripts", "<msup>", "<mn>2</mn></msup>"],
])("%s nested 100,000 deep are counted", (_, before, behind) => {
  const { text, skippedCharacters } = parseHtml(
    `<p>a<math>${before.repeat(100_000)}<mi>x</mi>${behind.repeat(100_000)}</math>b`,
  );
  expect(text.replace(/\s/g, "")).toBe("ab");
  expect(skippedCharacters).toBeGreaterThan(0);
});

test("a formula of 20,000 signs is read", () => {
  expect(latexOf("<mi>x</mi><mo>+</mo>".repeat(10_000)).length).toBe(20_000 + "a $$ b".length);
});
