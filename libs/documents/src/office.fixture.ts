import type { ZipEntry } from "./zip.fixture.js";

const types = "application/vnd.openxmlformats-officedocument";
const officeRelation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
/** Namespace of the elements of Word documents. */
export const wordNamespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
/** Namespace of the elements of Excel sheets. */
export const sheetNamespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

function rootParts(part: string, type: string): ZipEntry[] {
  const content = `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/${part}" ContentType="${types}.${type}+xml"/></Types>`;
  const relation = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="${officeRelation}/officeDocument" Target="${part}"/></Relationships>`;
  return [
    { name: "[Content_Types].xml", content },
    { name: "_rels/.rels", content: relation },
  ];
}

/** The parts of a Word document with this file, which is `word/document.xml`. */
export function wordParts(document: ZipEntry): ZipEntry[] {
  return [...rootParts("word/document.xml", "wordprocessingml.document.main"), document];
}

/** The parts of a workbook with this sheet, which is `xl/worksheets/sheet1.xml`. */
export function workbookParts(sheet: ZipEntry): ZipEntry[] {
  const relation = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="${officeRelation}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`;
  return [
    ...rootParts("xl/workbook.xml", "spreadsheetml.sheet.main"),
    {
      name: "xl/workbook.xml",
      content: `<workbook xmlns="${sheetNamespace}" xmlns:r="${officeRelation}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>`,
    },
    { name: "xl/_rels/workbook.xml.rels", content: relation },
    sheet,
  ];
}
