/** A contiguous tensor seen from one of its dimensions: `outer` × `n` × `inner` elements, a lane being the `n` of one dimension. */
export interface Lanes {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
}

/** The lanes along `dim` (wrapped) of `sizes`; a 0-dim tensor is one lane of one element. */
export function lanesOf(sizes: readonly number[], dim: number): Lanes {
  let outer = 1;
  let inner = 1;
  sizes.forEach((size, d) => {
    if (d < dim) outer *= size;
    if (d > dim) inner *= size;
  });
  return { outer, n: sizes.length === 0 ? 1 : sizes[dim], inner };
}

/** Calls `body` with the position of each lane's first element and the number of the lane. */
export function forEachLane({ outer, n, inner }: Lanes, body: (first: number, lane: number) => void): void {
  for (let o = 0, lane = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) body(o * n * inner + i, lane++);
  }
}

export type FloatArray = Float32Array | Float64Array;
