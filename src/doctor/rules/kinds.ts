/** What made an element go wrong. Each kind of birth is one rule's, so that no two rules tell of the same one. */
import type { BirthEvent, OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";

const overflowing = new Set(["exp", "exp2", "expm1", "sinh", "cosh"]);
const logarithms = new Set(["log", "log2", "log10", "log1p"]);
const inverses = new Set(["asin", "acos", "atanh", "acosh", "erfinv"]);

const spreads = new Set(["std", "var", "std_mean", "var_mean"]);
const normalising = /softmax|softmin|logsumexp|logcumsumexp|cross_entropy|attention/;

export type Kind =
  | "zero times infinity" | "infinite slope" | "logarithm" | "division" | "root" | "domain" | "exponential" | "overflow" | "data" | "nothing" | "spread" | "masked row"
  | "angle" | "other";

/** What made an element go wrong; each kind is one rule's. */
export function kindOf(birth: BirthEvent, trace: Trace): Kind {
  const { phase, equation, kind, op } = birth;
  const user = op === null ? null : trace.userOp(trace.ops.get(op)!);
  if (user !== null && normalising.test(user.name) && user.inputs.some((t) => trace.tensors.get(t)!.values.inf > 0)) return "masked row";
  if (isGiven(birth, trace)) return "data";
  if (phase === "forward" && kind === "nan" && user !== null) {
    if (averagesNothing(trace, user) !== null) return "nothing";
    if (spreads.has(user.name)) return "spread";
  }
  if (equation === null) return kind === "inf" && op !== null ? "overflow" : "other";
  const { slope, grad, function: name, operands: [first, second] } = equation;
  if (phase === "backward" && user?.name === "atan2") return "angle";
  if (phase === "backward" && slope !== null && typeof slope !== "number") return grad === 0 ? "zero times infinity" : "infinite slope";
  if (logarithms.has(name) && typeof first === "number" && first <= 0) return "logarithm";
  if (name === "div" && second === 0) return "division";
  if ((name === "rsqrt" || (name === "pow" && typeof second === "number" && second < 0)) && first === 0) return "division";
  if ((name === "sqrt" || name === "rsqrt" || name === "pow") && typeof first === "number" && first < 0 && kind === "nan") return "root";
  if (inverses.has(name)) return "domain";
  if (kind === "inf") return overflowing.has(name) ? "exponential" : "overflow";
  return "other";
}

/** Was the op itself given what is not finite, or did it make its tensor out of no other? */
function isGiven({ equation, phase, op, kind }: BirthEvent, trace: Trace): boolean {
  if (phase === "forward") return kind === "nan" && op !== null && equation === null && trace.ops.get(op)!.inputs.length === 0;
  return equation !== null && equation.names.some(({ name, value }) => name !== "grad" && typeof value !== "number");
}

/** What an op averages over, where that is nothing: an input without elements, or targets of which all are to be ignored. */
export function averagesNothing(trace: Trace, { name, inputs }: OpEvent): number | null {
  const tensors = inputs.map((t) => trace.tensors.get(t)!);
  const empty = tensors.find(({ values }) => values.numel === 0);
  const ignored = tensors.find(({ dtype, values }) => dtype === "int64" && /cross_entropy|nll_loss/.test(name) && values.min === values.max);
  return (empty ?? ignored)?.tensor ?? null;
}
