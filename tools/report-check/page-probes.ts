// What is asked of a page in the browser, as source text: it runs there, where there is a document and no module.

/** Opens whatever is folded, so that tables behind plots are looked at as well. */
export const openDetails = `for (const details of document.querySelectorAll("details")) details.open = true`;

/** Milliseconds from the start of the navigation to the end of loading, and to the first paint of content. */
export const timesOfOpening = `(async () => {
  const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  for (let i = 0; i < 50 && painted() === undefined; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  return { loadedMs: performance.getEntriesByType("navigation")[0].loadEventEnd, paintedMs: painted() ?? null };
})()`;

/** A sentence for each thing about the layout that is wrong. */
export const layoutProblems = `(() => {
  const problems = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].find(
      (element) => element.getBoundingClientRect().right > root.clientWidth + 1 && !element.closest(".scroll"),
    );
    problems.push("it scrolls sideways: " + root.scrollWidth + " of " + root.clientWidth + " px, at " + (wide?.outerHTML ?? "").slice(0, 80));
  }
  for (const svg of document.querySelectorAll('svg[role="img"]')) {
    const name = "the plot " + JSON.stringify(svg.getAttribute("aria-label") ?? "");
    const box = svg.getBoundingClientRect();
    if (box.width < 100 || box.height < 40) problems.push(name + " has no room: " + box.width + " x " + box.height);
    const shapes = [...svg.querySelectorAll("rect, circle, path")].filter((shape) => {
      const { width, height } = shape.getBoundingClientRect();
      const { fill, stroke } = getComputedStyle(shape);
      return width + height > 0 && (fill !== "none" || stroke !== "none");
    });
    if (shapes.length === 0) problems.push(name + " shows nothing");
    for (const text of svg.querySelectorAll("text")) {
      const at = text.getBoundingClientRect();
      if (at.left < box.left - 1 || at.right > box.right + 1 || at.top < box.top - 1 || at.bottom > box.bottom + 1)
        problems.push(name + " cuts the text " + JSON.stringify(text.textContent));
    }
    if (!svg.closest("section")?.querySelector("table")) problems.push(name + " has no table in its section");
  }
  return problems;
})()`;

/** How many plots there are. */
export const plotCount = `document.querySelectorAll('svg[role="img"]').length`;

/** What axe-core finds, once its source is loaded: a sentence for each violation. */
export const axeViolations = `axe.run(document).then(({ violations }) => violations.map(
  ({ id, help, nodes }) => id + ": " + help + ", " + nodes.length + " times, first " + nodes[0].html.slice(0, 120) + " " + (nodes[0].any[0]?.message ?? ""),
))`;
