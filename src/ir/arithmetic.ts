/**
 * The arithmetic in which every formula is written. Tensors, IR expressions and traced scalars all implement it,
 * so that one formula serves every evaluator. Names and meaning are PyTorch's.
 */
export interface Arithmetic<V> {
  neg(): V;
  abs(): V;
  sign(): V;
  floor(): V;
  ceil(): V;
  round(): V;
  trunc(): V;
  sqrt(): V;
  rsqrt(): V;
  reciprocal(): V;
  exp(): V;
  log(): V;
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
  sigmoid(): V;
  erf(): V;
  isnan(): V;
  logical_not(): V;
  add(other: V | number): V;
  sub(other: V | number): V;
  mul(other: V | number): V;
  div(other: V | number): V;
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
