const scratch = new DataView(new ArrayBuffer(4));

/** The number behind 16 bits of IEEE 754 binary16. */
export function halfToNumber(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  // Below the normal numbers the value is the fraction in units of 2^-24.
  if (exponent === 0) return (sign ? -1 : 1) * fraction * 2 ** -24;
  scratch.setUint32(0, (sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13)) >>> 0);
  return scratch.getFloat32(0);
}

/**
 * An output of a graph as float32. Where Node has no Float16Array, float16 arrives as its bits in a Uint16Array.
 * @throws TypeError for data of another type.
 */
export function toFloat32(data: unknown): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Uint16Array) return Float32Array.from(data, halfToNumber);
  if (Object.prototype.toString.call(data) === "[object Float16Array]")
    return Float32Array.from(data as ArrayLike<number>);
  throw new TypeError("the output is neither float32 nor float16");
}
