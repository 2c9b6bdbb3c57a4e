/** A setting that cannot be used. Its message is a sentence that names the flag, variable or file and what is allowed. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
