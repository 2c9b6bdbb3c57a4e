import type { ChunkRecord } from "@ragline/artifacts";
import { randomNumbers } from "./random-numbers.js";

const words =
  "able about above across after again air all along also always among animal answer any appear area around ask away back base be because become before began behind best better between big bird black blue boat body book both box boy bring brought build built busy but call came can car care carry cause center change check children city class clear close cold color come common complete country course cover cross cry cut dark day deep develop did differ direct distance do dog done door down draw drive dry during each early earth ease east eat end enough even ever every example eye face fact fall family far farm fast father feel few field figure fill final find fine fire first fish five fly follow food foot force form found four friend from front full game gave general girl give go gold good great green ground group grow had half hand happen hard has have head hear heat help here high hold home horse hot hour house idea".split(
    " ",
  );
const wordsPerText = { least: 14, most: 20 };
const wordsPerHeading = 3;

/**
 * Chunks of about 20 tokens: a sentence of everyday words under a heading of its own, so that the self-audit makes
 * queries of both. The same seed gives the same chunks.
 */
export function* shortChunks(count: number, seed: number): Generator<ChunkRecord> {
  const random = randomNumbers(seed);
  const below = (end: number): number => Math.floor(random() * end);
  const sentence = (length: number): string => {
    const text = Array.from({ length }, () => words[below(words.length)]).join(" ");
    return text.charAt(0).toUpperCase() + text.slice(1);
  };
  for (let i = 0; i < count; i++) {
    const heading = sentence(wordsPerHeading);
    const { least, most } = wordsPerText;
    const text = `${sentence(least + below(most - least + 1))}.`;
    yield {
      text,
      metadata: {
        chunk_id: `bench-${i}`,
        chunk_index: i,
        heading_text: heading,
        source_file: "bench.md",
        char_count: text.length,
      },
    };
  }
}
