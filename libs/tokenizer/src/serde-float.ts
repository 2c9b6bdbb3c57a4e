/**
 * A number of a JSON file as Hugging Face's Rust library reads it: serde_json takes all digits as one integer and divides it by
 * a power of ten, which may be the neighbour of the number that is nearest. Source: `f64_from_parts` of serde_json/src/de.rs.
 */
export function serdeFloat(value: number): number {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  const power = Number(exponent) - fraction.length;
  const digits = Number(whole + fraction);
  // Powers of ten up to the 22nd are exact; of a power of Math they need not be.
  const magnitude = power < 0 ? digits / Number(`1e${-power}`) : digits * Number(`1e${power}`);
  return sign === "-" ? -magnitude : magnitude;
}
