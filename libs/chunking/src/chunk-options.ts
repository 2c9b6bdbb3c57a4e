export interface ChunkDocumentOptions {
  /** Tokens that a chunk's text may have at most, special ones included; at least 16. */
  maxTokens: number;
  /** Tokens of a text as the target model counts them, special ones included. */
  countTokens: (text: string) => number;
  /** Tokens of the previous chunk's end to repeat in front of a chunk of the same section. @default 0 */
  overlapTokens?: number;
  /** Name of the collection, kept in `collection_hints`. @default none */
  collection?: string;
  /** Name of the model whose tokens are counted, kept in `target_model`. @default none */
  targetModel?: string;
}
