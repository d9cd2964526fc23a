/**
 * PyTorch's random functions on plain memory: each fills `out` in memory order with the bits that the PyTorch function
 * of that name puts into a tensor of that dtype. Arguments are taken to be valid. Normal numbers are in `normal.ts`.
 */
import { RuntimeError } from "../errors.ts";
import { get_cpu_capability } from "./capability.ts";
import { type Elements, type Floats, fillThroughFloat64 } from "./elements.ts";
import { fma32, fma64 } from "./fma.ts";
import type { Generator } from "./generator.ts";
import { log, log1p, tan } from "./libm.ts";

/**
 * `uniform_(from, to)`: numbers in [from, to).
 *
 * ```ts
 * const out = new Float32Array(2);
 * uniform(out, 0, 1, new Generator().manual_seed(0)); // 0.49625658988952637, 0.7682217955589294
 * ```
 */
export function uniform(out: Floats, from: number, to: number, g: Generator): void {
  if (out instanceof Float64Array) uniform64(out, from, to, g);
  else uniform32(out, Math.fround(from), Math.fround(to), g);
}

function uniform64(out: Float64Array, from: number, to: number, g: Generator): void {
  const fused = get_cpu_capability() === "AVX2" && from !== 0;
  const width = to - from;
  for (let i = 0; i < out.length; i++) {
    const x = g.uniform64();
    const value = fused ? fma64(x, width, from) : x * width + from;
    out[i] = value === to ? from : value;
  }
}

function uniform32(out: Float32Array, from: number, to: number, g: Generator): void {
  const { fround } = Math;
  const fused = get_cpu_capability() === "AVX2";
  const width = fround(to - from);
  for (let i = 0; i < out.length; i++) {
    const x = g.uniform32();
    const value = fused ? fma32(x, width, from) : fround(fround(x * width) + from);
    out[i] = value === to ? from : value;
  }
}

/** `exponential_(lambda)`. */
export function exponential(out: Floats, lambda: number, g: Generator): void {
  fillThroughFloat64(out, (x) => {
    for (let i = 0; i < x.length; i++) x[i] = (-1 / lambda) * log1p(-g.uniform64());
  });
}

/** `cauchy_(median, sigma)`. */
export function cauchy(out: Floats, median: number, sigma: number, g: Generator): void {
  const fused = get_cpu_capability() === "AVX2";
  fillThroughFloat64(out, (x) => {
    for (let i = 0; i < x.length; i++) {
      const t = tan(Math.PI * (g.uniform64() - 0.5));
      x[i] = fused ? fma64(sigma, t, median) : median + sigma * t;
    }
  });
}

/** `geometric_(p)`: how many trials, each successful with probability p, it takes to succeed. */
export function geometric(out: Elements, p: number, g: Generator): void {
  const logFailure = log1p(-p);
  fillThroughFloat64(out, (x) => {
    for (let i = 0; i < x.length; i++) x[i] = Math.ceil(log(g.uniform64()) / logFailure);
  });
}

/** `bernoulli_(p)` with a number p: 1 with probability p, else 0, by a float64 uniform whatever the dtype. */
export function bernoulliScalar(out: Elements, p: number, g: Generator): void {
  fillThroughFloat64(out, (x) => {
    for (let i = 0; i < x.length; i++) x[i] = g.uniform64() < p ? 1 : 0;
  });
}

/** log(k!), by Stirling's series where k is not small. */
function logFactorial(k: number): number {
  if (k < 10) return Math.log(Array.from({ length: k }, (_, i) => i + 1).reduce((a, b) => a * b, 1));
  const inverse = 1 / (k * k);
  return (k + 0.5) * Math.log(k) - k + 0.5 * Math.log(2 * Math.PI) + (1 - inverse * (1 / 30 - inverse * (1 / 105 - inverse / 140))) / (12 * k);
}

/** A number of events at the given rate: products of uniforms, or from a rate of 10 on transformed rejection (Hörmann, 1993). */
function poissonNumber(rate: number, g: Generator): number {
  if (rate === 0) return 0;
  if (rate < 10) {
    const least = Math.exp(-rate);
    let count = -1;
    for (let product = 1; product > least || count < 0; count++) product *= g.uniform64();
    return count;
  }
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  for (;;) {
    const u = g.uniform64() - 0.5;
    const v = g.uniform64();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (Math.log(v) + Math.log(1.1239 + 1.1328 / (b - 3.4)) - Math.log(a / (us * us) + b) <= k * Math.log(rate) - rate - logFactorial(k)) return k;
  }
}

/** `poisson(rates)`: for each rate a number of events. RuntimeError at a negative rate. */
export function poisson(out: Floats, rates: Floats, g: Generator): void {
  if (!rates.every((rate) => rate >= 0)) throw new RuntimeError("invalid Poisson rate, expected rate to be non-negative");
  rates.forEach((rate, i) => (out[i] = poissonNumber(rate, g)));
}

const NO_PROBABILITY =
  "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  " +
  "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)";

/**
 * `bernoulli(p)` and `bernoulli_(p)` with a tensor p, element by element, by uniforms of p's dtype. RuntimeError at a
 * probability outside [0, 1], once the elements before it are drawn.
 */
export function bernoulliTensor(out: Elements, p: Floats, g: Generator): void {
  const wide = p instanceof Float64Array;
  fillThroughFloat64(out, (x) => {
    for (let i = 0; i < x.length; i++) {
      if (!(p[i]! >= 0 && p[i]! <= 1)) throw new RuntimeError(NO_PROBABILITY);
      x[i] = (wide ? g.uniform64() : g.uniform32()) < p[i]! ? 1 : 0;
    }
  });
}
