/** The error function. */
import type { Vector } from "../vector.ts";
import { exp2Within, expWithin } from "./exponential.ts";
import { forFormat, polynomial, withSignOf } from "./float.ts";

/** erf(x) / x - 1 as a polynomial in x² up to `near`; minimax (single: error 2^-27, double: 2^-56). */
const nearSingle = [0.128379151, -0.376125574, 0.112825245, -0.0267939549, 0.00503587211, -0.000622242282];
const nearDouble = [
  0.1283791670955126, -0.3761263890318375, 0.11283791670954857, -0.026866170645072893, 0.005223977624780861, -0.0008548326978741856,
  0.00012055331036886483, -1.492559350656594e-05, 1.6460972811721486e-06, -1.6350025165813942e-07, 1.465787945877907e-08, -1.1365664485348365e-09,
  5.945259274661355e-11,
];
/**
 * The logarithm of 1 - erf(x) as a polynomial, beyond `near` and as far as erf(x) differs from 1: to base 2 and in x (single), natural and
 * in x - 1 (double). Minimax of erf(x) (single: 2^-29, double: 2^-57).
 */
const farSingle = [-0.000208054844, -1.62720037, -0.918738008, -0.150401235, 0.0322889909, -0.00444637798, 0.000288396463];
const farDouble = [
  -1.8496055099332482, -2.6389675142347886, -0.8431072563586589, -0.04156109804218352, 0.010033825378473785, -0.001977902594151742,
  0.00023732259126775791, 2.6277560447386324e-05, -2.7158472004543526e-05, 9.607952355086099e-06, -2.0587345316127465e-06, 1.4202934670330185e-07,
  9.806186471695269e-08, -5.226960865158113e-08, 1.4987490130546473e-08, -2.881665638007114e-09, 3.709771399754586e-10, -2.9068362816991952e-11,
  1.0496768113089563e-12,
];

export function erf(x: Vector): Vector {
  const size = x.abs();
  const square = x.mul(x);
  const near = size.madd(polynomial(square, forFormat(x, nearSingle, nearDouble)), size);
  const within = size.atMost(forFormat(x, 4, 6));
  const rest = x.type === "f32" ? exp2Within(polynomial(within, farSingle)) : expWithin(polynomial(within.sub(1), farDouble));
  const far = x.constant(1).sub(rest);
  return withSignOf(x, size.lt(forFormat(x, 0.875, 1)).select(near, far));
}

/** log2(1 - erf(x)) as a polynomial from 0 to 4; minimax of erf(x), 2^-26. */
const complement = [2.17176144e-08, -1.6279093, -0.918409824, -0.148506641, 0.0283018872, -0.000825166237, -0.00146038074, 0.000436943839, -4.43527824e-05];

/** 1 + erf(x) in single precision, in which the digits of erf(x) below those of 1 do not count: what gelu is made of. */
export function onePlusErf(x: Vector): Vector {
  const size = x.abs();
  const small = exp2Within(polynomial(size, complement)).as("i32").andNot(size.ge(4)).as("f32");
  return x.lt(0).select(small, x.constant(2).sub(small));
}
