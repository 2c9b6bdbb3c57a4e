import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { axeViolations, layoutProblems, openDetails, plotCount, timesOfOpening } from "./page-probes.js";

const height = 800;

/** A page as it was seen once. */
export interface PageView {
  readonly theme: "light" | "dark";
  /** In CSS pixels. */
  readonly width: number;
  readonly plots: number;
  /** From the start of the navigation to the end of loading. */
  readonly loadedMs: number;
  /** To the first paint of content; null where the browser told none. */
  readonly paintedMs: number | null;
  /** A sentence for each thing that is wrong. */
  readonly problems: readonly string[];
}

/** What a page is checked with. */
export interface CheckPageOptions {
  /** Path of the browser. */
  readonly executable: string;
  /** Folder for a screenshot of each view. @default none are made */
  readonly screenshots?: string;
  /** Whether axe-core looks at the page as well. @default true */
  readonly withAxe?: boolean;
  /** @default light and dark */
  readonly themes?: readonly PageView["theme"][];
  /** In CSS pixels. @default 360 and 1280 */
  readonly widths?: readonly number[];
}

/**
 * Opens a page from its file in a headless Chromium without network, in both themes and at the widths of a phone and of a
 * screen, and looks for what is wrong: messages of the console, requests, plots that show nothing or cut their texts,
 * sideways scrolling, and what axe-core finds, with every table unfolded.
 */
export async function checkPage(path: string, options: CheckPageOptions): Promise<PageView[]> {
  const { themes = ["light", "dark"], widths = [360, 1280] } = options;
  // Without a sandbox, since that needs user namespaces, which containers often lack; the page is our own.
  const browser = await chromium.launch({ executablePath: options.executable, args: ["--no-sandbox"] });
  try {
    const views: PageView[] = [];
    for (const theme of themes)
      for (const width of widths) views.push(await look(browser, resolve(path), theme, width, options));
    return views;
  } finally {
    await browser.close();
  }
}

async function look(
  browser: Browser,
  path: string,
  theme: PageView["theme"],
  width: number,
  { screenshots, withAxe = true }: CheckPageOptions,
): Promise<PageView> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, offline: true });
  try {
    const page = await context.newPage();
    const problems: string[] = [];
    const url = pathToFileURL(path).href;
    page.on("console", (message) => problems.push(`the console says: ${message.text()}`));
    page.on("pageerror", (error) => problems.push(`an error was thrown: ${error.message}`));
    page.on("request", (request) => {
      if (request.url() !== url) problems.push(`it asks for ${request.url()}`);
    });
    await page.goto(url, { waitUntil: "load" });
    const times = await page.evaluate<Pick<PageView, "loadedMs" | "paintedMs">>(timesOfOpening);
    if (screenshots !== undefined)
      await page.screenshot({ path: join(screenshots, `${theme}-${width}.png`), fullPage: true });
    problems.push(...(await page.evaluate<string[]>(layoutProblems)));
    await page.evaluate(openDetails);
    problems.push(...(await page.evaluate<string[]>(layoutProblems)).map((problem) => `unfolded, ${problem}`));
    if (withAxe) problems.push(...(await axeProblems(page)));
    return { theme, width, plots: await page.evaluate<number>(plotCount), ...times, problems };
  } finally {
    await context.close();
  }
}

let axeSource: Promise<string> | undefined;

async function axeProblems(page: Page): Promise<string[]> {
  axeSource ??= readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(await axeSource);
  return (await page.evaluate<string[]>(axeViolations)).map((violation) => `axe-core: ${violation}`);
}
