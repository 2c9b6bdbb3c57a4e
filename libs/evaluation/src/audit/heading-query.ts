import { plainText, words } from "../plain-text.js";

/** Words that say what part of a text follows, but not what it is about. */
const genericWords = new Set(
  `a about an and as at by for from how in into is it of on or our that the this to using via what when why with you your
  about abstract additional advanced api appendix approach architecture background basic basics best better case cases changelog
  chapter characteristics code command commands common components conclusion conclusions configuration considerations content
  contents core data default definition definitions description design details diagram discussion docs document documentation
  example examples faq features flow following function functions further general getting goals guide handling important implementation index info
  information initialization installation instructions integration interface introduction issues key limitations links list
  main management materials method methods model models more motivation next note notes options other overview page part
  performance phase points practices prerequisites problem process processing purpose questions reading reference references
  related requirements result results scope section see setup setting settings solution source sources start started step steps
  execution strategy structure summary support system table testing tips tools topics troubleshooting tutorial types use usage work
  works workflow`
    .trim()
    .split(/\s+/u),
);

/**
 * The query that a heading makes; undefined when it could stand over any section. A heading says enough with two words
 * of which one is not generic, or with one identifier such as `PdfPipelineOptions`.
 */
export function headingQuery(heading: string): string | undefined {
  const text = plainText(heading.slice(0, 400).replace(/^#+\s/u, ""));
  const found = words(text).filter((word) => /\p{L}/u.test(word));
  if (found.length > 40) return undefined;
  const telling = found.filter((word) => !genericWords.has(word.toLowerCase()));
  if (telling.length > 0 && found.length >= 2) return text;
  return telling.some((word) => /\p{Ll}\p{Lu}|\p{L}_\p{L}|\p{L}\.\p{L}/u.test(word)) ? text : undefined;
}
