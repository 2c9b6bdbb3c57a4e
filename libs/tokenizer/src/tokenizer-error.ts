/** A `tokenizer.json` that cannot be used as its authors mean it; the message says what is wrong with it. */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
}
