import { details, type Section, table } from "./elements.js";
import { count, number } from "./format.js";
import { histogram } from "./histogram.js";
import { html } from "./html.js";
import type { ReportContent } from "./report-content.js";

/** A limit past this factor of the longest chunk would only flatten the plot. */
const farFactor = 4;

/** How long the chunks are, beside what the models read. */
export function lengthSection({ manifest, chunks, tokenLimits }: ReportContent): Section {
  const { unit, lengths, chunksByLength } = chunks;
  const longest = Math.max(0, ...chunksByLength.keys());
  const names = (manifest.models ?? []).map(({ name }) => name);
  const known = [...new Set(names)].flatMap((name) => {
    const limit = tokenLimits[name];
    return limit === undefined || limit >= 2 ** 31 ? [] : [{ name, limit }];
  });
  const above = (limit: number): number => {
    let chunksAbove = 0;
    for (const [length, atLength] of chunksByLength) if (length > limit) chunksAbove += atLength;
    return chunksAbove;
  };
  const limits = unit === "tokens" ? known : [];
  const drawn = limits.filter(({ limit }) => limit <= longest * farFactor);
  return {
    id: "lengths",
    title: `Lengths in ${unit}`,
    content: html`${histogram(lengths, {
      label: `How many chunks have how many ${unit}`,
      axis: `${unit} in a chunk`,
      limits: drawn.map(({ name, limit }) => ({ name, value: limit })),
    })}${
      limits.length > 0
        ? table(
            limits.map(({ name, limit }) => [name, limit, above(limit), limit - longest]),
            {
              caption: "Most tokens that each model reads",
              head: ["model", "limit", "chunks above it", "room above the longest"],
            },
          )
        : html`<p>The chunks do not tell their tokens, so characters are shown, and no limit of tokens can be drawn.</p>
`
    }${
      drawn.length > 0
        ? html`<p class="note">Dashed lines are limits. ${limits.length > drawn.length ? `${count(limits.length - drawn.length, "limit")} far to the right not drawn. ` : ""}Tokens are those that the chunks tell of themselves.</p>
`
        : undefined
    }${details(
      "Lengths as a table",
      table(
        lengths.map(({ from, to, count: chunkCount }) => [`${number(from)} to ${number(to - 1)}`, chunkCount]),
        { caption: "Lengths of the chunks", head: [unit, "chunks"] },
      ),
    )}`,
  };
}
