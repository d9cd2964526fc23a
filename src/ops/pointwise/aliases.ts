/** PyTorch's second names for some ops. */
import { makeOp, type AnyOp } from "../../dispatch/op.ts";
import { div } from "./division.ts";
import { mul, sub } from "./arithmetic.ts";
import { ge, gt, le, lt, ne } from "./comparison.ts";
import { abs, neg, trunc } from "./pointwise.ts";
import { acos, acosh, asin, asinh, atan, atan2, atanh } from "./trigonometric.ts";

/** The same op under another name, which its error texts then show. */
function alias<T extends AnyOp>(name: string, op: T): T {
  return makeOp(name, op.overloads, op.isMethod) as unknown as T;
}

/** The same as `abs`. */
export const absolute: typeof abs = alias("absolute", abs);
/** The same as `neg`. */
export const negative: typeof neg = alias("negative", neg);
/** The same as `trunc`. */
export const fix: typeof trunc = alias("fix", trunc);
/** The same as `sub`. */
export const subtract: typeof sub = alias("subtract", sub);
/** The same as `mul`. */
export const multiply: typeof mul = alias("multiply", mul);
/** The same as `div`. */
export const divide: typeof div = alias("divide", div);
/** The same as `acos`. */
export const arccos: typeof acos = alias("arccos", acos);
/** The same as `asin`. */
export const arcsin: typeof asin = alias("arcsin", asin);
/** The same as `atan`. */
export const arctan: typeof atan = alias("arctan", atan);
/** The same as `atan2`. */
export const arctan2: typeof atan2 = alias("arctan2", atan2);
/** The same as `acosh`. */
export const arccosh: typeof acosh = alias("arccosh", acosh);
/** The same as `asinh`. */
export const arcsinh: typeof asinh = alias("arcsinh", asinh);
/** The same as `atanh`. */
export const arctanh: typeof atanh = alias("arctanh", atanh);
/** The same as `gt`. */
export const greater: typeof gt = alias("greater", gt);
/** The same as `ge`. */
export const greater_equal: typeof ge = alias("greater_equal", ge);
/** The same as `lt`. */
export const less: typeof lt = alias("less", lt);
/** The same as `le`. */
export const less_equal: typeof le = alias("less_equal", le);
/** The same as `ne`. */
export const not_equal: typeof ne = alias("not_equal", ne);
