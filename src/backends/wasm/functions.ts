/** The functions of floats. */
import type { BinaryName, UnaryName } from "../../ir/expr.ts";
import * as math from "../reference/math.ts";
import { Unsupported } from "./elements.ts";
import { mathFunction } from "./scalar-function.ts";
import type { Vector } from "./vector.ts";

type Unary = (x: Vector) => Vector;
type Binary = (x: Vector, y: Vector) => Vector;

/** Computed lane by lane in JavaScript, in double precision. */
function byLane(name: string, run: (...x: number[]) => number): (x: Vector, ...others: Vector[]) => Vector {
  return (x, ...others) => x.eachLane(mathFunction(name, run, 1 + others.length, x.type as "f32"), ...others);
}

const unaries: Partial<Record<UnaryName, Unary>> = {
  neg: (x) => x.neg(),
  abs: (x) => x.abs(),
  sqrt: (x) => x.sqrt(),
  floor: (x) => x.floor(),
  ceil: (x) => x.ceil(),
  trunc: (x) => x.trunc(),
  round: (x) => x.nearest(),
  reciprocal: (x) => x.constant(1).div(x),
  rsqrt: (x) => x.constant(1).div(x.sqrt()),
  sign: (x) => x.gt(0).as(x.type).and(1).sub(x.lt(0).as(x.type).and(1)),
  exp: byLane("exp", Math.exp),
  exp2: byLane("exp2", math.exp2),
  log: byLane("log", Math.log),
  log2: byLane("log2", Math.log2),
  log10: byLane("log10", Math.log10),
  log1p: byLane("log1p", Math.log1p),
  expm1: byLane("expm1", Math.expm1),
  sin: byLane("sin", Math.sin),
  cos: byLane("cos", Math.cos),
  tan: byLane("tan", Math.tan),
  asin: byLane("asin", Math.asin),
  acos: byLane("acos", Math.acos),
  atan: byLane("atan", Math.atan),
  sinh: byLane("sinh", Math.sinh),
  cosh: byLane("cosh", Math.cosh),
  tanh: byLane("tanh", Math.tanh),
  asinh: byLane("asinh", Math.asinh),
  acosh: byLane("acosh", Math.acosh),
  atanh: byLane("atanh", Math.atanh),
  sigmoid: byLane("sigmoid", (x) => 1 / (1 + Math.exp(-x))),
  erf: byLane("erf", math.erf),
};

const binaries: Partial<Record<BinaryName, Binary>> = {
  add: (x, y) => x.add(y),
  sub: (x, y) => x.sub(y),
  mul: (x, y) => x.mul(y),
  div: (x, y) => x.div(y),
  trunc_divide: (x, y) => x.div(y).trunc(),
  fmax: (x, y) => x.isNaN().select(y, y.isNaN().select(x, x.max(y))),
  fmin: (x, y) => x.isNaN().select(y, y.isNaN().select(x, x.min(y))),
  copysign: (x, y) => {
    const sign = y.constant(-0).and(y).and(y.eq(y).as(y.type));
    return x.abs().or(sign);
  },
  pow: byLane("pow", math.pow),
  fmod: byLane("fmod", (x, y) => x % y),
  remainder: byLane("remainder", math.remainder),
  floor_divide: byLane("floor_divide", math.floorDivide),
  atan2: byLane("atan2", Math.atan2),
  hypot: byLane("hypot", Math.hypot),
};

export function floatUnary(name: UnaryName, x: Vector): Vector {
  const run = unaries[name];
  if (run === undefined) throw new Unsupported(name);
  return run(x);
}

export function floatBinary(name: BinaryName, x: Vector, y: Vector): Vector {
  const run = binaries[name];
  if (run === undefined) throw new Unsupported(`${name} of floats`);
  return run(x, y);
}
