/** Consecutive rows of a matrix of dense vectors, row after row. */
export interface DenseBlock {
  /** Row number of the block's first row in the whole matrix. */
  readonly firstIndex: number;
  /** Width of each row. */
  readonly columns: number;
  /** Row-major values; its length is a multiple of `columns`. */
  readonly values: Float32Array;
}

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A copy in memory of its own. `slice` of a Buffer would be a view, so the plain one is called. */
const copyOf = (bytes: Uint8Array): Uint8Array => Uint8Array.prototype.slice.call(bytes);

function swapEvery4(bytes: Uint8Array): Uint8Array {
  const copy = copyOf(bytes);
  Buffer.from(copy.buffer, copy.byteOffset, copy.byteLength).swap32();
  return copy;
}

/** The values as little-endian float32 bytes. On a little-endian host this is a view that shares the memory. */
export function toFloat32Bytes(values: Float32Array): Uint8Array {
  const view = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return hostIsLittleEndian ? view : swapEvery4(view);
}

/**
 * Little-endian float32 bytes as values. The memory is shared where host order and alignment allow, copied otherwise.
 * @throws RangeError when the length is not a multiple of 4.
 */
export function fromFloat32Bytes(bytes: Uint8Array): Float32Array {
  if (bytes.byteLength % 4 !== 0)
    throw new RangeError(`${bytes.byteLength} bytes are no whole number of float32 values`);
  const aligned = hostIsLittleEndian && bytes.byteOffset % 4 === 0;
  const source = aligned ? bytes : hostIsLittleEndian ? copyOf(bytes) : swapEvery4(bytes);
  return new Float32Array(source.buffer, source.byteOffset, source.byteLength / 4);
}
