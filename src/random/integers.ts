/** PyTorch's random whole numbers on plain memory, filled in memory order. Arguments are taken to be valid. */
import { type Elements, fillThroughFloat64 } from "./elements.ts";
import type { Generator } from "./generator.ts";

/**
 * `randint(low, high)` and `random_(from, to)`: whole numbers in [low, high), for which a range of 2^28 or more takes
 * two words each. The ends move inwards to numbers that a float dtype holds. All of int64 is -2^63 to 2^63.
 *
 * ```ts
 * const out = new BigInt64Array(4);
 * randint(out, 0, 10, new Generator().manual_seed(0)); // 4n, 9n, 3n, 0n
 * ```
 */
export function randint(out: Elements, low: number | bigint, high: number | bigint, g: Generator): void {
  const from = firstHeld(out, BigInt(low));
  const range = lastHeld(out, BigInt(high)) - from;
  const base = Number(from);
  if (range === 2n ** 64n) return randintWide(out, 0n, range, () => g.random64());
  if (range >= 2n ** 28n) return randintWide(out, from, range, () => g.random64());
  if (!Number.isSafeInteger(base) || !Number.isSafeInteger(base + 2 ** 28)) {
    return randintWide(out, from, range, () => BigInt(g.random()));
  }
  const count = Number(range);
  fillThroughFloat64(out, (x) => {
    for (let i = 0; i < x.length; i++) {
      const word = g.random();
      x[i] = word - Math.floor(word / count) * count + base;
    }
  });
}

function randintWide(out: Elements, from: bigint, range: bigint, draw: () => bigint): void {
  for (let i = 0; i < out.length; i++) {
    const value = BigInt.asIntN(64, (draw() % range) + from);
    if (out instanceof BigInt64Array) out[i] = value;
    else out[i] = Number(value);
  }
}

/** The least number from `from` on that the dtype holds, as PyTorch finds it. */
function firstHeld(out: Elements, from: bigint): bigint {
  const next = asHeld(out, from + 1n);
  return next < from ? next + spacing(out, from + 1n) : from;
}

/** The greatest number up to `to` that the dtype holds, where `to - 1` would become `to` or more. */
function lastHeld(out: Elements, to: bigint): bigint {
  const previous = asHeld(out, to - 1n);
  return previous >= to ? previous - spacing(out, to - 1n) : to;
}

function asHeld(out: Elements, x: bigint): bigint {
  if (out instanceof Float32Array) return BigInt(Math.fround(Number(x)));
  return out instanceof Float64Array ? BigInt(Number(x)) : x;
}

/** The distance between numbers of the dtype around `x`. */
function spacing(out: Elements, x: bigint): bigint {
  const bits = (x < 0n ? -x : x).toString(2).length;
  return 2n ** BigInt(bits - (out instanceof Float32Array ? 24 : 53));
}

/**
 * `random_()`: whole numbers from 0 to the greatest of an integer dtype, or to 2^24 or 2^53 for floats; `bool` says
 * that a Uint8Array stands for booleans.
 */
export function randomFull(out: Elements, g: Generator, bool = false): void {
  if (out instanceof BigInt64Array) {
    const halves = new Int32Array(out.buffer, out.byteOffset, 2 * out.length);
    for (let i = 0; i < halves.length; i += 2) {
      halves[i + 1] = g.random() & 0x7fffffff;
      halves[i] = g.random();
    }
  } else if (out instanceof Float64Array) {
    for (let i = 0; i < out.length; i++) out[i] = modulo53(g.random(), g.random());
  } else if (out instanceof Float32Array) {
    for (let i = 0; i < out.length; i++) out[i] = g.random() % (2 ** 24 + 1);
  } else {
    const bits = bool ? 1 : 8 * out.BYTES_PER_ELEMENT - (out instanceof Uint8Array ? 0 : 1);
    const mask = 2 ** bits - 1;
    for (let i = 0; i < out.length; i++) out[i] = g.random() & mask;
  }
}

/** (high 2^32 + low) modulo 2^53 + 1: as 2^53 is -1 there, the lower 53 bits less the upper 11. */
function modulo53(high: number, low: number): number {
  const difference = (high & 0x1fffff) * 2 ** 32 + low - (high >>> 21);
  return difference < 0 ? difference + 1 + 2 ** 53 : difference;
}

/**
 * `randperm(n)`: the numbers 0 to n - 1, n being the length of `out`, in random order.
 *
 * ```ts
 * const out = new BigInt64Array(4);
 * randperm(out, new Generator().manual_seed(0)); // 0n, 1n, 3n, 2n
 * ```
 */
export function randperm(out: Elements, g: Generator): void {
  fillThroughFloat64(out, (x) => {
    const n = x.length;
    for (let i = 0; i < n; i++) x[i] = i;
    for (let i = 0; i < n - 1; i++) {
      const other = i + (g.random() % (n - i));
      const value = x[i]!;
      x[i] = x[other]!;
      x[other] = value;
    }
  });
}
