import { readFileSync } from "node:fs";

/** The anchors that GitHub gives the headings of a Markdown text; code blocks have none. */
export function markdownAnchors(text: string): Set<string> {
  const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, "");
  const headings = [...prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Why a link such as `docs/page.md#heading` leads nowhere, or undefined. */
export function brokenLink(link: string): string | undefined {
  const [path = "", anchor = ""] = link.split("#");
  try {
    return markdownAnchors(readFileSync(path, "utf8")).has(anchor) ? undefined : `${path} has no heading #${anchor}`;
  } catch {
    return `there is no file ${path}`;
  }
}
