/** Inline Markdown and HTML as the words that a reader sees, on one line. Code spans keep their content as it is. */
export function plainText(markdown: string): string {
  return markdown
    .split(/`+([^`]*)`+/u)
    .map((part, i) => (i % 2 === 1 ? part : withoutMarks(part)))
    .join("")
    .replace(/\s+/gu, " ")
    .trim();
}

function withoutMarks(markdown: string): string {
  return markdown
    .replace(/<!--[\s\S]*?-->|<\/?[a-z][^<>]*>/giu, " ")
    .replace(/!\[[^\]]*\]\([^()]*\)/gu, " ")
    .replace(/\[([^[\]]*)\](?:\([^()]*\)|\[[^[\]]*\])/gu, "$1")
    .replace(/\*+|~~+|`|(?<![\p{L}\p{N}\\])_+(?=\S)|(?<=[^\s\\])_+(?![\p{L}\p{N}])/gu, "")
    .replace(/\\([\\`*_{}[\]()#+\-.!|<>~])/gu, "$1");
}

/** The words of a text. Chinese and Japanese write no spaces: there each character counts. */
export function words(text: string): string[] {
  return (
    text.match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}]|['’_.-](?=[\p{L}\p{N}]))*/gu,
    ) ?? []
  );
}
