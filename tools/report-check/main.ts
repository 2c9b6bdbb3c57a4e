// Looks at a report page in a real browser: node tools/dist/report-check/main.js <report.html> [--screenshots <dir>]
import { mkdir, stat } from "node:fs/promises";
import { parseArgs } from "node:util";
import { checkPage } from "./check-page.js";
import { findChromium } from "./find-chromium.js";
import { drawSampleReport } from "./sample-run.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { screenshots: { type: "string" }, sample: { type: "string" }, "no-axe": { type: "boolean" } },
});

const usage = "Give report pages, or --sample <chunks> for a page of a run that is made up.";
const executable = findChromium();
if (executable === undefined) {
  console.error("There is no Chromium on the PATH; install it, or name it with RAGLINE_CHROMIUM.");
  process.exitCode = 2;
} else if (positionals.length === 0 && values.sample === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  const sample = values.sample === undefined ? undefined : await drawSampleReport(Number(values.sample));
  if (sample)
    console.log(`a run of ${values.sample} chunks: the page was drawn in ${(sample.drawMs / 1000).toFixed(2)} s`);
  try {
    for (const path of sample ? [...positionals, sample.path] : positionals) await tell(path, executable);
  } finally {
    await sample?.remove();
  }
}

async function tell(path: string, browser: string): Promise<void> {
  if (values.screenshots !== undefined) await mkdir(values.screenshots, { recursive: true });
  const views = await checkPage(path, {
    executable: browser,
    withAxe: values["no-axe"] !== true,
    ...(values.screenshots === undefined ? {} : { screenshots: values.screenshots }),
  });
  const { size } = await stat(path);
  console.log(`${path}: ${(size / 1e6).toFixed(2)} MB`);
  for (const { theme, width, plots, loadedMs, paintedMs, problems } of views) {
    const painted = paintedMs === null ? "" : `, first painted after ${Math.round(paintedMs)} ms`;
    console.log(`  ${theme}, ${width} px: ${plots} plots, loaded in ${Math.round(loadedMs)} ms${painted}`);
    for (const problem of problems) console.log(`    ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
  }
}
