export interface RoundingMode {
  rounding_mode: "floor" | "trunc";
}

/**
 * The arithmetic in which every formula is written. Tensors, IR expressions and traced scalars all implement it,
 * so that one formula serves every evaluator. Names and meaning are PyTorch's.
 */
export interface Arithmetic<V> {
  neg(): V;
  abs(): V;
  sign(): V;
  /** The same; as an op on tensors it saves more. */
  sgn(): V;
  floor(): V;
  ceil(): V;
  round(): V;
  trunc(): V;
  sqrt(): V;
  rsqrt(): V;
  reciprocal(): V;
  exp(): V;
  exp2(): V;
  log(): V;
  log2(): V;
  log10(): V;
  log1p(): V;
  expm1(): V;
  sin(): V;
  cos(): V;
  tan(): V;
  asin(): V;
  acos(): V;
  atan(): V;
  sinh(): V;
  cosh(): V;
  tanh(): V;
  asinh(): V;
  acosh(): V;
  atanh(): V;
  sigmoid(): V;
  erf(): V;
  digamma(): V;
  /** The n-th derivative of digamma. */
  polygamma(n: number): V;
  isnan(): V;
  logical_not(): V;
  add(other: V | number): V;
  sub(other: V | number): V;
  mul(other: V | number): V;
  /** With a rounding mode, the quotient rounded down or towards 0. */
  div(other: V | number, options?: RoundingMode): V;
  pow(exponent: V | number): V;
  fmod(other: V | number): V;
  remainder(other: V | number): V;
  atan2(other: V): V;
  maximum(other: V): V;
  minimum(other: V): V;
  eq(other: V | number): V;
  ne(other: V | number): V;
  lt(other: V | number): V;
  le(other: V | number): V;
  gt(other: V | number): V;
  ge(other: V | number): V;
  logical_and(other: V): V;
  logical_or(other: V): V;
  logical_xor(other: V): V;
  /** `self` where `condition` holds, `other` elsewhere. */
  where(condition: V, other: V | number): V;
  /** `value` where `mask` holds, `self` elsewhere. */
  masked_fill(mask: V, value: V | number): V;
}

/** A formula over named values; a plain number is a constant. */
export type Formula = <V extends Arithmetic<V>>(values: Readonly<Record<string, V>>) => V | number;

/** What only values need, never gradients; tensors lack some of it. */
export interface KernelArithmetic<V> extends Arithmetic<V> {
  erfc(): V;
  erfinv(): V;
  lgamma(): V;
  i0(): V;
  i1(): V;
  signbit(): V;
  bitwise_not(): V;
  bitwise_and(other: V): V;
  bitwise_or(other: V): V;
  bitwise_xor(other: V): V;
  bitwise_left_shift(other: V): V;
  bitwise_right_shift(other: V): V;
  fmax(other: V): V;
  fmin(other: V): V;
  hypot(other: V): V;
  copysign(other: V): V;
  nextafter(other: V): V;
  /** The greatest common divisor of whole numbers. */
  gcd(other: V): V;
}

/** A formula for a value, which is compiled but never run on tensors. */
export function valueOnly(formula: <V extends KernelArithmetic<V>>(values: Readonly<Record<string, V>>) => V | number): Formula {
  return formula as unknown as Formula;
}
