import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkPage } from "./check-page.js";
import { findChromium } from "./find-chromium.js";
import { drawSampleEvaluation } from "./sample-evaluation.js";
import { drawSampleReport } from "./sample-run.js";

const executable = findChromium();
if (executable === undefined)
  console.warn(
    "There is no Chromium (Debian: package chromium; RAGLINE_CHROMIUM names one): report pages are not opened",
  );

const timeoutMs = 240_000;

test.skipIf(executable === undefined)(
  "a report page is clean in both themes, on a phone and on a screen",
  async () => {
    const sample = await drawSampleReport(24, 8);
    try {
      // What axe-core looks for does not depend on the width, and it takes most of the time.
      const views = [
        ...(await checkPage(sample.path, { executable: executable as string, widths: [360] })),
        ...(await checkPage(sample.path, { executable: executable as string, widths: [1280], withAxe: false })),
      ];
      expect(views.map(({ theme, width }) => `${theme} ${width}`)).toEqual([
        "light 360",
        "dark 360",
        "light 1280",
        "dark 1280",
      ]);
      for (const { theme, width, problems, plots } of views) {
        expect(problems, `${theme} ${width}`).toEqual([]);
        expect(plots).toBe(14);
      }
    } finally {
      await sample.remove();
    }
  },
  timeoutMs,
);

test.skipIf(executable === undefined)(
  "so is the page of an evaluation",
  async () => {
    const page = await drawSampleEvaluation();
    try {
      const views = await checkPage(page.path, { executable: executable as string, widths: [360] });
      expect(views.flatMap(({ problems }) => problems)).toEqual([]);
      expect(views[0]?.plots).toBe(7);
    } finally {
      await page.remove();
    }
  },
  timeoutMs,
);

const broken = `<!doctype html><html><head><meta charset="utf-8"><title>broken</title></head><body><main>
<script>console.error("this is wrong"); setTimeout(() => { throw new Error("and this"); })</script>
<img src="http://127.0.0.1:9/image.png"><div style="width:900px">wide</div>
<p style="color:#ccc;background:#fff">hard to read</p>
<section><svg role="img" aria-label="nothing" viewBox="0 0 640 200" width="300"></svg></section>
<section><svg role="img" aria-label="cut" viewBox="0 0 640 200" width="300"><rect width="9" height="9"/><text x="630" y="20">beyond</text></svg>
<table><tr><td>1</td></tr></table></section></main></body></html>`;

test.skipIf(executable === undefined)(
  "a page that is wrong in every way is told so",
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "ragline-broken-page-"));
    try {
      await writeFile(join(dir, "broken.html"), broken);
      const [view] = await checkPage(join(dir, "broken.html"), {
        executable: executable as string,
        themes: ["light"],
        widths: [360],
      });
      const problems = view?.problems.join("\n");
      for (const part of [
        "the console says: this is wrong",
        "an error was thrown: and this",
        "it asks for http://127.0.0.1:9/image.png",
        "it scrolls sideways",
        'the plot "nothing" shows nothing',
        'the plot "nothing" has no table in its section',
        'the plot "cut" cuts the text "beyond"',
        "axe-core: html-has-lang",
        "axe-core: image-alt",
        "axe-core: color-contrast",
      ])
        expect(problems).toContain(part);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
  timeoutMs,
);
