import { z } from "zod";

const spread = z.object({ min: z.number(), max: z.number(), mean: z.number() });

/** Schema of `<prefix>_stats.json`: figures that depend on the chunks and the dense vectors alone. */
export const runStatsSchema = z.looseObject({
  collection: z.string(),
  chunk_count: z.number(),
  /** Lengths of the texts, in characters (code points). */
  text_characters: spread.extend({ total: z.number() }),
  /** Dense models, primary first; `norm` is the Euclidean length of the vectors. */
  dense: z.array(
    z.object({
      name: z.string(),
      hugging_face_id: z.string(),
      dimension: z.number(),
      embeddings: z.string(),
      norm: spread,
    }),
  ),
});

/** Figures about the chunks and the dense vectors of a run. */
export type RunStats = z.infer<typeof runStatsSchema>;
