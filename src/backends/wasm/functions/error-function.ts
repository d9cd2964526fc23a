/** The error function. */
import { erfinv as inverseByScalars } from "../../reference/special.ts";
import type { Vector } from "../vector.ts";
import { exp, exp2Within, expWithin, timesExp } from "./exponential.ts";
import { byMath, forFormat, polynomial, productWithLoss, quotientWithLoss, sumWithLoss, throughDouble, withSignOf } from "./float.ts";

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

/** e^(x²) · (1 - erf(x)) · (1 + 2x) as a polynomial in (x - 3) / (x + 3) for x from 0.4687 to 27.35; minimax, 2^-57. */
const complementScaled = [
  1.2530080582697296, -0.13562110612458134, -0.04756229435344924, 0.12964515870278098, -0.11927366341541235, 0.068308027343182,
  -0.02377051491580204, 0.002529391830345467, 0.0018886903179009434, -0.000779832412555296, -0.00010515944092566354, 0.00012510017914728113,
  4.947507805299525e-06, -2.0103591782842087e-05, -7.244432363027744e-07, 3.4792725546491424e-06, 3.4045128824590703e-07, -6.257970627546483e-07,
  -1.1764605359491084e-07, 1.0787531351571804e-07, 2.133322823419861e-08, -1.3837705971865491e-08,
];

/** 1 - erf(x), without loss of digits where erf(x) is near 1. */
export const erfc = (x: Vector): Vector => throughDouble(x, (_, v) => erfcDouble(v));

function erfcDouble(x: Vector): Vector {
  const size = x.abs();
  const near = x.constant(1).sub(x.madd(polynomial(x.mul(x), nearDouble), x));
  const within = size.atMost(27.35);
  const [square, squareLost] = productWithLoss(within, within);
  const place = within.sub(3).div(within.add(3));
  const [first, ...others] = complementScaled;
  const numerator = sumWithLoss(x.constant(first), place.mul(polynomial(place, others)));
  const far = timesExp(quotientWithLoss(numerator, sumWithLoss(within.add(within), x.constant(1))), [square.neg(), squareLost.neg()]);
  return size.lt(0.46875).select(near, x.lt(0).select(x.constant(2).sub(far), far));
}

/** erf⁻¹(x) / x as a polynomial in x² up to 0.7; minimax, 2^-57. */
const inverseNear = [
  0.886226925452758, 0.23201366653466418, 0.12755617530302266, 0.08655212951293388, 0.06495960263767005, 0.05173179508908729, 0.04282514056514334,
  0.036649464379901, 0.029568353147829476, 0.04630791813841169, -0.09549606266709278, 0.6319411993294561, -2.3585936167113193, 7.1825968369755175,
  -16.47842780180489, 28.572567602528384, -36.02915283587133, 31.431441058545392, -16.98877079655717, 4.371060880936748,
];

/** The number whose erf is x. */
export function erfinv(x: Vector): Vector {
  return throughDouble(x, (_, v) => v.mul(polynomial(v.mul(v), inverseNear)).unless(v.abs().lt(0.7).not(), inverseFar(v)));
}

/** The same far from 0: what JavaScript has, and a step of Newton's. */
function inverseFar(x: Vector): Vector {
  const size = x.abs();
  const rough = size.eachLane(byMath("erfinv", inverseByScalars));
  const step = erfcDouble(rough).sub(x.constant(1).sub(size)).mul(Math.sqrt(Math.PI) / 2).mul(exp(rough.mul(rough)));
  return withSignOf(x, size.lt(1).select(rough.add(step), rough));
}

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
