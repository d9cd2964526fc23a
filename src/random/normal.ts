import { transformAvx2 } from "./box-muller-avx2.ts";
import { get_cpu_capability } from "./capability.ts";
import type { Floats } from "./elements.ts";
import { fma32, fma64 } from "./fma.ts";
import type { Generator } from "./generator.ts";
import { cos, exp, log, log1p, sin } from "./libm.ts";
import { cosf, logf, sinf } from "./libmf.ts";

/**
 * Fills `out`, in memory order, with normal numbers as `normal_(mean, std)` does. PyTorch draws 16 or more elements of
 * a contiguous tensor in blocks, and any others singly, another way: `contiguous` says which `out` stands for.
 *
 * ```ts
 * const out = new Float32Array(3);
 * normal(out, 0, 1, new Generator().manual_seed(0)); // 1.5409960746765137, -0.293428897857666, -2.1787893772125244
 * ```
 */
export function normal(out: Floats, mean: number, std: number, g: Generator, contiguous = true): void {
  if (out.length < 16 || !contiguous) fillSingly(out, mean, std, g);
  else if (out instanceof Float64Array) fillInBlocks(out, mean, std, g, transform64);
  else {
    const transform = get_cpu_capability() === "AVX2" ? transformAvx2 : transform32;
    fillInBlocks(out, Math.fround(mean), Math.fround(std), g, transform);
  }
}

/** Fills `out`, in memory order, with e to the power of normal numbers, as `log_normal_(mean, std)` does. */
export function logNormal(out: Floats, mean: number, std: number, g: Generator): void {
  const exponents = new Float64Array(out.length);
  fillSingly(exponents, mean, std, g);
  for (let i = 0; i < out.length; i++) out[i] = exp(exponents[i]!);
}

/** Box and Muller's method in float64, whatever the dtype. The generator keeps the second number of a pair. */
function fillSingly(out: Floats, mean: number, std: number, g: Generator): void {
  const fused = get_cpu_capability() === "AVX2";
  for (let i = 0; i < out.length; i++) {
    const z = standardNormal(g);
    out[i] = fused ? fma64(z, std, mean) : z * std + mean;
  }
}

function standardNormal(g: Generator): number {
  const kept = g.nextNormal;
  if (kept !== null) {
    g.nextNormal = null;
    return kept;
  }
  const theta = 2 * Math.PI * g.uniform64();
  const radius = Math.sqrt(-2 * log1p(-g.uniform64()));
  g.nextNormal = radius * sin(theta);
  return radius * cos(theta);
}

/** Turns every full block of 16 uniforms into 16 normal numbers: 8 radii, then 8 angles. */
type Transform<T> = (out: T, mean: number, std: number) => void;

/** Where the length is no multiple of 16, the last 16 are drawn and transformed a second time. */
function fillInBlocks<T extends Floats>(
  out: T,
  mean: number,
  std: number,
  g: Generator,
  transform: Transform<T>,
): void {
  drawUniforms(out, g);
  transform(out, mean, std);
  if (out.length % 16 === 0) return;
  const last = out.subarray(out.length - 16) as T;
  drawUniforms(last, g);
  transform(last, mean, std);
}

function drawUniforms(out: Floats, g: Generator): void {
  if (out instanceof Float32Array) for (let i = 0; i < out.length; i++) out[i] = g.uniform32();
  else for (let i = 0; i < out.length; i++) out[i] = g.uniform64();
}

function transform64(out: Float64Array, mean: number, std: number): void {
  for (let at = 0; at + 16 <= out.length; at += 16) {
    for (let j = at; j < at + 8; j++) {
      const radius = Math.sqrt(-2 * log(1 - out[j]!));
      const theta = 2 * Math.PI * out[j + 8]!;
      out[j] = fma64(radius * cos(theta), std, mean);
      out[j + 8] = fma64(radius * sin(theta), std, mean);
    }
  }
}

/** float32 where there is no AVX2: by the C library. */
function transform32(out: Float32Array, mean: number, std: number): void {
  const { fround } = Math;
  for (let at = 0; at + 16 <= out.length; at += 16) {
    for (let j = at; j < at + 8; j++) {
      const radius = fround(Math.sqrt(fround(-2 * logf(fround(1 - out[j]!)))));
      const theta = fround(2 * Math.PI * out[j + 8]!);
      out[j] = fma32(fround(radius * cosf(theta)), std, mean);
      out[j + 8] = fma32(fround(radius * sinf(theta)), std, mean);
    }
  }
}
