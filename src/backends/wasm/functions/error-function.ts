/** The error function. */
import type { Vector } from "../vector.ts";
import { expWithin } from "./exponential.ts";
import { forFormat, polynomial, withSignOf } from "./float.ts";

/** erf(x) / x - 1 as a polynomial in x² up to `near`; minimax (single: error 2^-30, double: 2^-56). */
const nearSingle = [0.128379166, -0.376126289, 0.112836227, -0.0268553644, 0.00519094337, -0.000802648778, 7.86825258e-05];
const nearDouble = [
  0.1283791670955126, -0.3761263890318375, 0.11283791670954857, -0.026866170645072893, 0.005223977624780861, -0.0008548326978741856,
  0.00012055331036886483, -1.492559350656594e-05, 1.6460972811721486e-06, -1.6350025165813942e-07, 1.465787945877907e-08, -1.1365664485348365e-09,
  5.945259274661355e-11,
];
/**
 * log(1 - erf(x)) as a polynomial, beyond `near` and as far as erf(x) differs from 1: in x (single), in x - 1 (double).
 * Minimax of erf(x) (single: 2^-28, double: 2^-57).
 */
const farSingle = [-0.000133574693, -1.12793612, -0.636737227, -0.104327507, 0.0224202201, -0.0030922927, 0.000200996292];
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
  const log = x.type === "f32" ? polynomial(within, farSingle) : polynomial(within.sub(1), farDouble);
  const far = x.constant(1).sub(expWithin(log));
  return withSignOf(x, size.lt(forFormat(x, 0.875, 1)).select(near, far));
}
