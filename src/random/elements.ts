export type Floats = Float32Array | Float64Array;
/** The memory of any dtype: bool is a Uint8Array of 0 and 1, int64 a BigInt64Array. */
export type Elements = Floats | Uint8Array | Int8Array | Int16Array | Int32Array | BigInt64Array;

/** Lets `fill` write float64 numbers that `out` then receives as its own dtype: rounded, or as whole numbers. */
export function fillThroughFloat64(out: Elements, fill: (numbers: Float64Array) => void): void {
  if (out instanceof Float64Array) return fill(out);
  const numbers = new Float64Array(out.length);
  fill(numbers);
  if (!(out instanceof BigInt64Array)) return out.set(numbers);
  // Two 32-bit stores, the low half first, are many times as fast as a BigInt.
  const halves = new Int32Array(out.buffer, out.byteOffset, 2 * out.length);
  for (let i = 0; i < out.length; i++) {
    halves[2 * i] = numbers[i]!;
    halves[2 * i + 1] = Math.floor(numbers[i]! * 2 ** -32);
  }
}
