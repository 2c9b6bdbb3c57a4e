const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const power = (exponent: number) => powersOfTen[exponent] ?? Number.NaN;

/** Most bytes that one number takes. */
export const maxFloat32TextBytes = 32;

/**
 * Whether decimal / scale, the decimal's nearest double, reads back as this float32. It is pushed a little away from the
 * float32 first, so that the answer holds too for readers that round the decimal once, straight to float32.
 */
function readsBack(decimal: number, scale: number, value: number): boolean {
  const quotient = decimal / scale;
  return Math.fround(quotient + (quotient - value) * 2 ** -20) === value;
}

/**
 * Writes a number, rounded to float32, as the shortest JSON number that reads back as the same float32: 0.1, not 0.10000000149011612.
 * @param bytes has room for `maxFloat32TextBytes` from `at`.
 * @returns the position after the number.
 * @throws RangeError when the float32 is not finite: JSON has no text for it.
 */
export function writeFloat32(bytes: Buffer, at: number, value: number): number {
  let end = at;
  let magnitude = Math.fround(value);
  if (magnitude < 0) {
    bytes[end++] = 0x2d;
    magnitude = -magnitude;
  }
  return magnitude >= 1e-6 && magnitude < 1e6
    ? writeFixed(bytes, end, magnitude)
    : end + bytes.write(rareText(magnitude), end, "latin1");
}

/** In fixed notation: the integer `digits` over 10^places, with as few places as read back. */
function writeFixed(bytes: Buffer, at: number, magnitude: number): number {
  let exponent = magnitude >= 1 ? 5 : -1;
  if (exponent > 0) while (magnitude < power(exponent)) exponent--;
  else while (magnitude * power(-exponent) < 1) exponent--;
  // Nine significant digits always read back and eight mostly do, so the search starts at eight.
  let places = 7 - exponent;
  let digits = (magnitude * power(places) + 0.5) | 0;
  if (readsBack(digits, power(places), magnitude)) {
    while (places > 0) {
      const fewer = (magnitude * power(places - 1) + 0.5) | 0;
      if (!readsBack(fewer, power(places - 1), magnitude)) break;
      places--;
      digits = fewer;
    }
  } else {
    places++;
    digits = (magnitude * power(places) + 0.5) | 0;
  }
  let whole = 0;
  if (magnitude >= 1) {
    whole = Math.floor(digits / power(places));
    digits -= whole * power(places);
  }
  const point = writeUint(bytes, at, whole);
  if (places === 0) return point;
  bytes[point] = 0x2e;
  for (let i = point + places; i > point; i--) {
    const rest = (digits / 10) | 0;
    bytes[i] = 0x30 + digits - rest * 10;
    digits = rest;
  }
  return point + places + 1;
}

/** Zero, and values so small or large that vectors hardly ever have them. */
function rareText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be written as JSON`);
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0";
  for (let precision = 1; precision < 9; precision++) {
    const text = value.toPrecision(precision);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

/** Writes an integer from 0 to 2^32 - 1 in decimal. Returns the position after it. */
export function writeUint(bytes: Buffer, at: number, value: number): number {
  let length = 1;
  while (length < 10 && value >= power(length)) length++;
  let rest = value;
  for (let i = at + length - 1; i >= at; i--) {
    const shorter = Math.floor(rest / 10);
    bytes[i] = 0x30 + rest - shorter * 10;
    rest = shorter;
  }
  return at + length;
}
