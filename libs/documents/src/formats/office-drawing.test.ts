import { expect, test } from "vitest";
import { BlockWriter } from "./block-writer.js";
import { writeDrawing } from "./office-drawing.js";

const shape = (words: string, placeholder = "", properties = ""): string =>
  `<p:sp><p:nvSpPr><p:cNvPr ${properties}/><p:nvPr>${placeholder && `<p:ph type="${placeholder}"/>`}</p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>${words}</a:t></a:r></a:p></p:txBody></p:sp>`;

function written(xml: string): { blocks: string[]; skipped: number } {
  const writer = new BlockWriter();
  const skipped = writeDrawing(`<p:sld>${xml}</p:sld>`, writer, { source: { slide: 1 } });
  const { text, blocks } = writer.finish();
  expect(blocks.every(({ source }) => source?.slide === 1)).toBe(true);
  return { blocks: blocks.map(({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`), skipped };
}

test("a slide's title comes first, wherever it stands in the file", () => {
  const picture = '<p:pic><p:nvPicPr><p:cNvPr id="2" name="Picture 1" descr="a tower"/></p:nvPicPr></p:pic>';
  expect(written(picture + shape("beside it") + shape("The title", "title"))).toEqual({
    blocks: ["heading: The title", "caption: a tower", "paragraph: beside it"],
    skipped: 0,
  });
});

test("what stands on every slide and what programs call pictures is counted", () => {
  expect(written(shape("words", "body", 'descr="lamp.png"') + shape("12", "sldNum") + shape("May 1", "dt"))).toEqual({
    blocks: ["paragraph: words"],
    skipped: "lamp.png".length + 2 + 5,
  });
});

test("a table whose first cell is empty has no blank before it", () => {
  const cell = (text: string): string => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
  const table = `<a:tbl><a:tr>${cell("")}${cell("Oil")}</a:tr><a:tr>${cell("May")}${cell("")}</a:tr></a:tbl>`;
  expect(written(table).blocks).toEqual(["table: | Oil\nMay |"]);
});
