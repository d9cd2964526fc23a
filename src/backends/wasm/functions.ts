/** The functions of floats. */
import type { BinaryName, UnaryName } from "../../ir/expr.ts";
import { digamma, i0, i1, lgamma, nextafter, nextafterf, polygamma } from "../reference/special.ts";
import { Unsupported } from "./elements.ts";
import { acos, asin, atan, atan2 } from "./functions/arc.ts";
import { floorDivide, fmod, remainder } from "./functions/division.ts";
import { erf, erfc, erfinv } from "./functions/error-function.ts";
import { cosh, exp, exp2, expm1, sigmoid, sinh, tanh } from "./functions/exponential.ts";
import { acosh, asinh, atanh, log, log10, log1p, log2 } from "./functions/logarithm.ts";
import { hypot, pow } from "./functions/power.ts";
import { cos, sin, tan } from "./functions/trigonometric.ts";
import { mathFunction } from "./scalar-function.ts";
import type { Vector } from "./vector.ts";

/** A function that has no vectors, lane by lane. */
const inLanes = (name: string, run: (...x: number[]) => number) => (x: Vector, ...others: Vector[]): Vector =>
  x.eachLane(mathFunction(name, run, others.length + 1, x.type as "f32" | "f64"), ...others);

const unaries: Partial<Record<UnaryName, (x: Vector) => Vector>> = {
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
  exp: (x) => exp(x),
  exp2, expm1, log, log2, log10, log1p, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh, sigmoid, erf,
  erfc, erfinv, lgamma: inLanes("lgamma", lgamma), digamma: inLanes("digamma", digamma),
  i0: inLanes("i0", i0), i1: inLanes("i1", i1),
};

const binaries: Partial<Record<BinaryName, (x: Vector, y: Vector) => Vector>> = {
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
  polygamma: inLanes("polygamma", polygamma),
  nextafter: (x, y) => (x.type === "f32" ? inLanes("nextafterf", nextafterf) : inLanes("nextafter", nextafter))(x, y),
  pow, fmod, remainder, floor_divide: floorDivide, atan2, hypot,
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
