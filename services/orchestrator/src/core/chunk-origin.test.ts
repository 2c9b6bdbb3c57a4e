import { expect, test } from "vitest";
import { originOf } from "./chunk-origin.js";

test.each<[what: string, metadata: Record<string, unknown>, sections: string[][]]>([
  ["titles down to the heading", { section_path: ["A", "B"], heading_text: "B" }, [["A", "B"]]],
  ["titles above the heading", { section_path: ["A"], heading_text: "B" }, [["A", "B"]]],
  ["a heading alone", { heading_text: "B" }, [["B"]]],
  ["no title", { section_path: [], heading_text: "" }, [[]]],
  ["several sections", { section_path: ["A"], section_paths: [["A", "B"], ["C"]] }, [["A"], ["A", "B"], ["C"]]],
  ["several sections, none around them", { section_path: [], section_paths: [["B"], ["C"]] }, [[], ["B"], ["C"]]],
  ["what is no path", { section_path: "A > B", section_paths: [7, ["C", 7]], heading_text: null }, [[], [], ["C"]]],
])("a chunk with %s", (_, metadata, sections) => {
  expect(originOf({ filename: "a.md", content_type: "table", ...metadata })).toEqual({
    document: "a.md",
    contentType: "table",
    sections,
  });
});
