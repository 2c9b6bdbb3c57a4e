import { expect, test } from "vitest";
import { parseDocument } from "../index.js";
import { makeZip } from "../zip.fixture.js";
import { readChart } from "./office-chart.js";

const points = (...values: readonly (readonly [number, string | number])[]): string =>
  values.map(([i, value]) => `<c:pt idx="${i}"><c:v>${value}</c:v></c:pt>`).join("");
const listed = (...values: readonly (string | number)[]): string =>
  points(...values.map((value, i) => [i, value] as const));
const cached = (kind: "str" | "num", reference: string, inner: string): string =>
  `<c:${kind}Ref><c:f>${reference}</c:f><c:${kind}Cache>${inner}</c:${kind}Cache></c:${kind}Ref>`;
const rich = (...paragraphs: readonly string[]): string =>
  `<c:tx><c:rich>${paragraphs.map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`).join("")}</c:rich></c:tx>`;
const series = (name: string, inner: string): string =>
  `<c:ser><c:tx>${cached("str", "S!$B$1", listed(name))}</c:tx>${inner}</c:ser>`;
const values = (...numbers: readonly number[]): string =>
  `<c:val>${cached("num", "S!$B$2", listed(...numbers))}</c:val>`;
const space = (inner: string): string => `<c:chartSpace><c:chart>${inner}</c:chart></c:chartSpace>`;

test("a title of several paragraphs, axes and labels make the caption", () => {
  const axis = (kind: string, title: string): string =>
    `<c:${kind}><c:title>${rich(title)}</c:title><c:axPos val="l"/></c:${kind}>`;
  const label =
    "<c:dLbls><c:dLbl><c:idx val='0'/><c:tx><c:rich><a:p><a:fld><a:t>[VALUE]</a:t></a:fld><a:r><a:t>a storm</a:t></a:r></a:p></c:rich></c:tx></c:dLbl></c:dLbls>";
  const { caption, categoryTitle, skippedCharacters } = readChart(
    space(
      `<c:title>${rich("Oil", "by night")}</c:title>${series("x", label + values(1))}` +
        axis("catAx", "Night") +
        axis("valAx", "Litres") +
        axis("valAx", "Price"),
    ),
  );
  expect({ caption, categoryTitle, skippedCharacters }).toEqual({
    caption: "Oil by night (Litres, Price)\na storm",
    categoryTitle: "Night",
    skippedCharacters: "[VALUE]".length,
  });
});

test("series that share their categories share a table, in which values may be missing", () => {
  const categories = `<c:cat>${cached("str", "S!$A$2", listed("a", "b"))}</c:cat>`;
  const others = `<c:cat>${cached("str", "S!$A$2", listed("c"))}</c:cat>`;
  const sparse = `<c:val>${cached("num", "S!$C$2", points([1, 5], [4_000_000_000, 6]))}</c:val>`;
  const { tables } = readChart(
    space(series("x", categories + values(1, 2)) + series("y", categories + sparse) + series("z", others + values(3))),
  );
  expect(tables).toEqual([
    [
      ["", "x", "y"],
      ["a", "1", ""],
      ["b", "2", "5"],
      ["", "", "6"],
    ],
    [
      ["", "z"],
      ["c", "3"],
    ],
  ]);
});

test("series without names or categories are numbered, bubbles have sizes, dates are dates", () => {
  const dates = (code: string): string =>
    `<c:xVal>${cached("num", "S!$A$2", `<c:formatCode>${code}</c:formatCode>${listed(45352, 45352.5)}`)}</c:xVal>`;
  const bubble = `<c:yVal>${cached("num", "S!$B$2", listed(7, 8))}</c:yVal><c:bubbleSize>${cached("num", "S!$C$2", listed(1, 2))}</c:bubbleSize>`;
  expect(readChart(space(`<c:ser>${values(9)}</c:ser><c:ser>${dates("d/m/yyyy")}${bubble}</c:ser>`)).tables).toEqual([
    [
      ["", "Series 1"],
      ["1", "9"],
    ],
    [
      ["", "Series 2", "Series 2 (size)"],
      ["2024-03-01", "7", "1"],
      ["2024-03-01T12:00:00", "8", "2"],
    ],
  ]);
  const from1904 = `<c:chartSpace><c:date1904 val="1"/><c:ser>${dates("yyyy")}</c:ser></c:chartSpace>`;
  expect(readChart(from1904).tables[0]?.[1]?.[0]).toBe("2028-03-02");
  expect(readChart(space(`<c:ser>${dates('0.00" days"')}</c:ser>`)).tables[0]?.[1]?.[0]).toBe("45352");
});

test.each([
  ["cells of one sheet", values(1), ["S"]],
  [
    "of several",
    `${values(1)}<c:cat>${cached("str", "'It''s two'!$A$1:$A$2", listed("a"))}</c:cat>`,
    ["S", "It's two"],
  ],
  ["of another file", `<c:val>${cached("num", "[1]S!$A$1", listed(1))}</c:val>`, undefined],
  ["values of its own", `<c:val><c:numLit>${listed(1)}</c:numLit></c:val>`, undefined],
])("a chart tells where its values are from: %s", (_, inner, sheets) => {
  const found = readChart(space(series("x", inner))).sheets;
  expect(found && [...found]).toEqual(sheets);
});

test("values that a chart only refers to are looked up", () => {
  const cells: Record<string, string[]> = { "S!$B$1": ["x"], "S!$A$2:$A$3": ["a", "b"], "S!$B$2:$B$3": ["", "2"] };
  const bare = (part: string, reference: string): string =>
    `<c:${part}><c:numRef><c:f>${reference}</c:f></c:numRef></c:${part}>`;
  const xml = space(`<c:ser>${bare("tx", "S!$B$1")}${bare("cat", "S!$A$2:$A$3")}${bare("val", "S!$B$2:$B$3")}</c:ser>`);
  expect(readChart(xml, (reference) => cells[reference] ?? []).tables).toEqual([
    [
      ["", "x"],
      ["a", ""],
      ["b", "2"],
    ],
  ]);
  expect(readChart(xml).tables).toEqual([]);
  const known = space(series("y", values(1)));
  expect(readChart(known, () => ["never"]).tables[0]?.[1]).toEqual(["1", "1"]);
});

test("charts of Office 2016 are read", () => {
  const level = (...texts: readonly (string | number)[]): string =>
    `<cx:lvl ptCount="9" formatCode="General">${texts.map((text, i) => `<cx:pt idx="${i}">${text}</cx:pt>`).join("")}</cx:lvl>`;
  const data = (id: number, reference: string, values: string): string =>
    `<cx:data id="${id}"><cx:strDim type="cat"><cx:f>S!$A$2:$B$3</cx:f>${level("a", "b")}${level("A")}</cx:strDim><cx:numDim type="val"><cx:f>${reference}</cx:f>${values}</cx:numDim></cx:data>`;
  const named = (name: string): string =>
    `<cx:tx><cx:txData><cx:f>S!$C$1</cx:f><cx:v>${name}</cx:v></cx:txData></cx:tx>`;
  const drawn = "<cx:txPr><a:p><a:r><a:t>Bridge</a:t></a:r></a:p></cx:txPr>";
  const xml = `<cx:chartSpace><cx:chartData>${data(0, "S!$C$2", level(5, -3))}${data(1, "S!$D$2", "")}</cx:chartData><cx:chart><cx:title>${named("Bridge")}${drawn}</cx:title><cx:plotArea><cx:plotAreaRegion><cx:series layoutId="waterfall">${named("Change")}<cx:dataId val="0"/></cx:series><cx:series layoutId="waterfall"><cx:dataId val="1"/></cx:series></cx:plotAreaRegion><cx:axis id="0"><cx:catScaling/><cx:title>${named("Step")}</cx:title></cx:axis><cx:axis id="1"><cx:valScaling/><cx:title>${named("Euros")}</cx:title></cx:axis></cx:plotArea></cx:chart></cx:chartSpace>`;
  const { caption, tables, sheets, skippedCharacters } = readChart(xml, (reference) =>
    reference === "S!$D$2" ? ["7", "8"] : [],
  );
  expect({ caption, tables, sheets: [...(sheets ?? [])], skippedCharacters }).toEqual({
    caption: "Bridge (Euros)",
    tables: [
      [
        ["Step", "Change", "Series 2"],
        ["A a", "5", "7"],
        ["A b", "-3", "8"],
      ],
    ],
    sheets: ["S"],
    skippedCharacters: "Bridge".length,
  });
});

test("what is filtered out or beside the values is counted", () => {
  const hidden = `<c:extLst><c:ext><c15:ser>${values(123)}<c15:tx>${rich("gone")}</c15:tx></c15:ser></c:ext></c:extLst>`;
  const error = `<c:errBars><c:plus><c:numLit>${listed(45)}</c:numLit></c:plus></c:errBars>`;
  const { tables, skippedCharacters } = readChart(space(series("x", values(1) + error + hidden)));
  expect(tables).toEqual([
    [
      ["", "x"],
      ["1", "1"],
    ],
  ]);
  expect(skippedCharacters).toBe("123".length + "gone".length + "45".length);
});

test("a chart of more values than anyone reads is cut off and counted", () => {
  const count = 70_000;
  const many = Array.from({ length: count }, (_, i) => points([i, 7])).join("");
  const { tables, skippedCharacters } = readChart(
    space(series("x", `<c:val>${cached("num", "S!$B$2", many)}</c:val>`)),
  );
  expect(skippedCharacters).toBe(count + 1 - (tables[0]?.length ?? 0));
  // Tables that are mostly empty are as large.
  const diagonal = Array.from({ length: 2000 }, (_, i) =>
    series("x", `<c:val>${cached("num", "S!$B$2", points([i, 7]))}</c:val>`),
  );
  const wide = readChart(space(diagonal.join("")));
  expect(wide.tables[0]?.length).toBeLessThan(40);
  expect(wide.skippedCharacters).toBe(2001 - (wide.tables[0]?.length ?? 0));
});

test("a damaged chart is counted and does not take its presentation with it", async () => {
  const relations = (entries: string): string => `<Relationships>${entries}</Relationships>`;
  const { text, skippedCharacters } = await parseDocument(
    "a.pptx",
    makeZip([
      { name: "ppt/presentation.xml", content: '<p><sldId id="1" r:id="r1"/></p>' },
      {
        name: "ppt/_rels/presentation.xml.rels",
        content: relations('<Relationship Id="r1" Type="x/slide" Target="slides/slide1.xml"/>'),
      },
      {
        name: "ppt/slides/slide1.xml",
        content: '<sld><graphicFrame><c:chart r:id="r1"/></graphicFrame><sp><p><r><t>words</t></r></p></sp></sld>',
      },
      {
        name: "ppt/slides/_rels/slide1.xml.rels",
        content: relations('<Relationship Id="r1" Type="x/chart" Target="../charts/chart1.xml"/>'),
      },
      { name: "ppt/charts/chart1.xml", content: "<c:chartSpace><c:v>12345</c:v>" },
    ]),
  );
  expect({ text, skippedCharacters }).toEqual({ text: "words", skippedCharacters: 5 });
});
