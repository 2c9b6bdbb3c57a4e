import { expect, test } from "vitest";
import { DocumentError, parseDocument } from "../index.js";
import { wordNamespace, wordParts } from "../office.fixture.js";
import { makeZip, type ZipEntry } from "../zip.fixture.js";
import { mathToLatex, replaceMath } from "./office-math.js";

const run = (text: string): string => `<m:r><m:t>${text}</m:t></m:r>`;

test.each([
  ["letters and signs", run("a+β&lt;7 %"), "a+β<7 \\%"],
  ["a fraction", `<m:f><m:num>${run("a")}</m:num><m:den>${run("b")}</m:den></m:f>`, "\\frac{a}{b}"],
  [
    "a linear fraction",
    `<m:f><m:fPr><m:type m:val="lin"/></m:fPr><m:num>${run("a+b")}</m:num><m:den>${run("c")}</m:den></m:f>`,
    "{a+b}/c",
  ],
  [
    "scripts",
    `<m:sSubSup><m:e>${run("xy")}</m:e><m:sub>${run("i")}</m:sub><m:sup>${run("2")}</m:sup></m:sSubSup>`,
    "{xy}_{i}^{2}",
  ],
  [
    "scripts before",
    `<m:sPre><m:sub>${run("6")}</m:sub><m:sup>${run("14")}</m:sup><m:e>${run("C")}</m:e></m:sPre>`,
    "{}_{6}^{14}C",
  ],
  ["a root of a degree", `<m:rad><m:deg>${run("3")}</m:deg><m:e>${run("x")}</m:e></m:rad>`, "\\sqrt[3]{x}"],
  [
    "an integral without a sign of its own",
    `<m:nary><m:naryPr><m:supHide m:val="1"/></m:naryPr><m:sub>${run("V")}</m:sub><m:sup/><m:e>${run("f")}</m:e></m:nary>`,
    "\\int_{V} f",
  ],
  [
    "brackets",
    `<m:d><m:dPr><m:begChr m:val="{"/><m:sepChr m:val=","/><m:endChr m:val=""/></m:dPr><m:e>${run("a")}</m:e><m:e>${run("b")}</m:e></m:d>`,
    "\\{a,b",
  ],
  ["a function", `<m:func><m:fName>${run("sin")}</m:fName><m:e>${run("x")}</m:e></m:func>`, "sin x"],
  ["a limit", `<m:limLow><m:e>${run("lim")}</m:e><m:lim>${run("n→∞")}</m:lim></m:limLow>`, "{lim}_{n→∞}"],
  ["an accent", `<m:acc><m:accPr><m:chr m:val="\u20d7"/></m:accPr><m:e>${run("v")}</m:e></m:acc>`, "\\vec{v}"],
  ["a bar", `<m:bar><m:barPr><m:pos m:val="top"/></m:barPr><m:e>${run("z")}</m:e></m:bar>`, "\\overline{z}"],
  ["equations", `<m:eqArr><m:e>${run("a=1")}</m:e><m:e>${run("b=2")}</m:e></m:eqArr>`, "a=1 \\\\ b=2"],
  ["what is not known", `<m:borderBox><m:e>${run("q")}</m:e></m:borderBox>`, "q"],
])("%s becomes LaTeX", (_, omml, latex) => {
  expect(mathToLatex(`<m:oMath>${omml}</m:oMath>`)).toBe(latex);
});

test("formulas nested deeper than the stack end", () => {
  const deep = `${"<m:f><m:num>".repeat(100_000)}${run("x")}${"</m:num></m:f>".repeat(100_000)}`;
  expect(mathToLatex(`<m:oMath>${deep}</m:oMath>`).length).toBeGreaterThan(100_000);
});

test("a formula that does not end is left where it is", () => {
  const open = `<m:oMathPara><m:oMath>${run("x")}`;
  const xml = `<p>a<m:oMath>${run("x")}</m:oMath>b</p>`;
  expect(replaceMath(`${xml}${open}${xml}`, (latex) => `[${latex}]`)).toBe(`<p>a[$x$]b</p>${open}${xml}`);
});

async function word(body: string, others: ZipEntry[] = []) {
  const content = `<w:document xmlns:w="${wordNamespace}" xmlns:v="urn:schemas-microsoft-com:vml"><w:body>${body}</w:body></w:document>`;
  return parseDocument("a.docx", makeZip([...wordParts({ name: "word/document.xml", content }), ...others]));
}

test("what stands in fields, ruby, other directions and shapes is read", async () => {
  const text = (words: string): string => `<w:r><w:t xml:space="preserve">${words}</w:t></w:r>`;
  const { text: read } = await word(
    `<w:p>${text("Figure ")}<w:fldSimple w:instr=" SEQ &quot;a>b&quot; ">${text("7")}</w:fldSimple></w:p>` +
      `<w:p><w:r><w:ruby><w:rt>${text("kan")}</w:rt><w:rubyBase>${text("漢")}</w:rubyBase></w:ruby></w:r></w:p>` +
      `<w:p><w:bdo w:val="rtl">${text("back")}</w:bdo></w:p><w:p><w:r><w:t>one</w:t><w:cr/><w:t>two</w:t></w:r></w:p>` +
      `<w:p><w:r><w:pict><v:oval><v:textbox><w:txbxContent><w:p>${text("round")}</w:p></w:txbxContent></v:textbox></v:oval></w:pict></w:r></w:p>`,
  );
  expect(read).toBe("Figure 7\n\nkan漢\n\nback\n\none\ntwo\n\nround");
});

test("headers, footers and comments are counted, not read", async () => {
  const part = (name: string, words: string): ZipEntry => ({
    name: `word/${name}.xml`,
    content: `<w:hdr><w:t>${words}</w:t></w:hdr>`,
  });
  const { text, skippedCharacters } = await word("<w:p><w:r><w:t>body</w:t></w:r></w:p>", [
    part("header1", "12345"),
    part("footer2", "678"),
    part("settings", "not a text"),
  ]);
  expect({ text, skippedCharacters }).toEqual({ text: "body", skippedCharacters: 8 });
});

const wp = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing";
const mc = "http://schemas.openxmlformats.org/markup-compatibility/2006";

/** A run with a drawing of these properties. */
function drawing(attributes: string, content = ""): string {
  return `<w:r><w:drawing><wp:inline xmlns:wp="${wp}"><wp:docPr id="1" name="Picture 1" ${attributes}/>${content}</wp:inline></w:drawing></w:r>`;
}

test("what pictures and shapes are said to show stands in their place", async () => {
  const text = (words: string): string => `<w:r><w:t xml:space="preserve">${words}</w:t></w:r>`;
  const shape = `<w:r><mc:AlternateContent xmlns:mc="${mc}"><mc:Choice Requires="wps">${drawing('descr="an &quot;arrow&quot;"')}</mc:Choice><mc:Fallback><w:pict><v:shape alt="an &quot;arrow&quot;"><v:textbox><w:txbxContent><w:p>${text("in it")}</w:p></w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>`;
  const { text: read, skippedCharacters } = await word(
    `<w:p>${text("a ")}${drawing('title="T" descr="a &lt;lamp&gt;"')}${text(" b")}</w:p><w:p>${shape}</w:p>` +
      `<w:p>${drawing('descr="lamp.png"')}</w:p><w:del><w:p>${drawing('descr="gone"')}</w:p></w:del>`,
  );
  expect(read).toBe('a T a <lamp> b\n\nan "arrow"\n\nin it');
  expect(skippedCharacters).toBe("lamp.png".length + "gone".length);
});

test("what stands in a heading comes behind it", async () => {
  const head = '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Oil</w:t></w:r>';
  const styles: ZipEntry = {
    name: "word/styles.xml",
    content: `<w:styles xmlns:w="${wordNamespace}"><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>`,
  };
  const { text, blocks } = await word(`<w:p>${head}${drawing('descr="a barrel"')}</w:p>`, [styles]);
  expect(blocks.map(({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`)).toEqual([
    "heading: Oil",
    "caption: a barrel",
  ]);
});

test("texts in shapes without an older form are read", async () => {
  const box = (words: string): string =>
    `<wps:txbx xmlns:wps="w"><w:txbxContent><w:p><w:r><w:t>${words}</w:t></w:r></w:p></w:txbxContent></wps:txbx>`;
  const { text } = await word(
    `<w:p><w:r><w:t>a</w:t></w:r>${drawing("", box("first") + box("second"))}</w:p>` +
      `<w:p><w:r><mc:AlternateContent xmlns:mc="${mc}"><mc:Choice Requires="wps">${drawing("", box("third"))}</mc:Choice></mc:AlternateContent></w:r></w:p>`,
  );
  expect(text).toBe("a\n\nfirst\n\nsecond\n\nthird");
});

test("objects nested deeper than the stack end", async () => {
  const deep = `${"<w:drawing>".repeat(50_000)}${"</w:drawing>".repeat(50_000)}`;
  const read = word(`<w:p><w:r><w:t>a</w:t></w:r></w:p><w:p><w:r>${deep}</w:r></w:p>`);
  await expect(read.then(({ text }) => text)).rejects.toThrow(DocumentError);
  const open = "<w:drawing>".repeat(50_000);
  await expect(word(`<w:p><w:r>${open}</w:r></w:p>`)).rejects.toThrow(DocumentError);
});

test("diagrams of Word stand where they are shown", async () => {
  const point = (words: string): string => `<dgm:pt><dgm:t><a:p><a:r><a:t>${words}</a:t></a:r></a:p></dgm:t></dgm:pt>`;
  const graphic =
    '<a:graphic xmlns:a="a"><a:graphicData><dgm:relIds xmlns:dgm="d" r:dm="r7" xmlns:r="r"/></a:graphicData></a:graphic>';
  const { text, skippedCharacters } = await word(
    `<w:p><w:r><w:t>before</w:t></w:r>${drawing("", graphic)}</w:p><w:p><w:r><w:t>behind</w:t></w:r></w:p>`,
    [
      {
        name: "word/_rels/document.xml.rels",
        content:
          '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r7" Type="x/diagramData" Target="diagrams/data1.xml"/></Relationships>',
      },
      {
        name: "word/diagrams/data1.xml",
        content: `<dgm:dataModel xmlns:dgm="d" xmlns:a="a">${point("Trim")}${point("Light &amp; log")}</dgm:dataModel>`,
      },
    ],
  );
  expect({ text, skippedCharacters }).toEqual({
    text: "before\n\nTrim\n\nLight & log\n\nbehind",
    skippedCharacters: 0,
  });
});
