import { expect, test } from "vitest";
import { pdfPictures } from "./pdf-pictures.js";

test("figures of a page are described in their order, once", () => {
  const structure = {
    role: "Root",
    children: [
      { role: "Figure", children: [{ role: "Figure", alt: "a tower" }] },
      { role: "P", alt: "no picture" },
      { role: "Formula", alt: "x squared" },
      { role: "Figure", alt: "a tower" },
      { role: "Figure", alt: "lamp.png" },
      { role: "Figure", alt: "The Lamp room" },
      { role: "Figure" },
    ],
  };
  expect(pdfPictures(structure, "Fig. 1: the lamp  room at dusk")).toEqual({
    descriptions: ["a tower", "x squared"],
    skippedCharacters: "lamp.png".length + "The Lamp room".length,
  });
  expect(pdfPictures(null, "")).toEqual({ descriptions: [], skippedCharacters: 0 });
});
