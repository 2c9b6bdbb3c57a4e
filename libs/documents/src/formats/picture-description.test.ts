import { expect, test } from "vitest";
import { describePicture, isPictureDescription } from "./picture-description.js";

test.each([
  "A tower of grey stone",
  "Three keepers",
  "Figure 3: the lamp room",
  "Diagram of the lamp, see lamp.png for colours",
  "Turm",
  "灯台",
  "Picture of a lamp",
  "x".repeat(2000),
])("%j describes a picture", (text) => {
  expect(isPictureDescription(text)).toBe(true);
});

test.each([
  "",
  " ",
  "3",
  "lamp.png",
  "Screenshot 2024-03-01 at 10.00.00.png",
  "media/image1.jpeg?raw=true",
  "https://example.org/lamp",
  "Picture 3",
  "picture",
  "Grafik 12",
  "Image_0001",
  "Text Box 2",
  "A screenshot of a computer\n\nDescription automatically generated",
  "A tower\n\nAI-generated content may be incorrect.",
  "Ein Turm\n\nAutomatisch generierte Beschreibung",
])("%j does not", (text) => {
  expect(isPictureDescription(text)).toBe(false);
});

test("title and description make one text", () => {
  expect(describePicture({ title: "The lamp", descr: "It burns." })).toEqual({
    text: "The lamp\nIt burns.",
    skippedCharacters: 0,
  });
  expect(describePicture({ title: "The lamp", descr: "The lamp" }).text).toBe("The lamp");
  expect(describePicture({ title: "Picture 1", alt: "It burns." })).toEqual({
    text: "It burns.",
    skippedCharacters: 9,
  });
});
