import { clampEdits, findBirths, operandText, widenEdits } from "./birth-rule.ts";
import type { BirthEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { kindOf } from "./kinds.ts";
import { rootsAreFinite } from "./leaves.ts";
import type { Fix, Rule } from "./rule.ts";

/** Exponents up to this are in the range of float64, and so are the squares of their powers. */
const largest = 350;
/** Ops that refuse a factor of another dtype. */
const products = /^(mm|bmm|mv|dot|matmul|addmm|linear|einsum|conv\d?d?)$/;

/** Can all that comes of an exponential be computed in float64? */
function canWiden(trace: Trace, { equation, op, tensor }: BirthEvent): boolean {
  const [exponent] = equation!.operands;
  const output = op === null || tensor === null ? undefined : trace.ops.get(op)!.outputs[0];
  if (typeof exponent !== "number" || exponent > largest || output === undefined) return false;
  const below = trace.computedFrom(output);
  return ![...trace.ops.values()].some(({ name, inputs }) => products.test(name) && inputs.some((input) => below.has(input)));
}

export const expOverflow: Rule = {
  id: "exp-overflow",
  title: "An exponential too large for its dtype",
  severity: "error",
  certainty: 0.95,
  why: `exp(x) is infinite in float32 from x = 88.73 on, and in float64 from 709.8. A softmax, a sigmoid or a log of a sum that
is written by hand then gives inf/inf = NaN, or a gradient of 0 times infinity.`,
  fix: `Use the op that does it without overflow: softmax, log_softmax, logsumexp, sigmoid, F.softplus, expm1. Else compute in float64,
x.double().exp(), or bound the input, x.clamp({ max: 40 }).exp().`,
  bad: `import * as torch from "leafgrad";

const x = torch.tensor([99, 100], { requires_grad: true });
const e = x.exp();
const loss = e.div(e.sum()).index(0);
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const x = torch.tensor([99, 100], { requires_grad: true });
const loss = x.softmax(0).index(0);
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "exponential", {
    fix(trace, birth, op) {
      const x = operandText(trace, birth, op);
      const bounded: Fix = { text: `use softmax, logsumexp or sigmoid, or bound the input: ${x}.clamp({ max: 40 })`, edits: clampEdits(trace, birth, op, "{ max: 40 }") };
      const wide: Fix = { text: `use softmax, logsumexp or sigmoid, or compute in float64: ${x}.double()`, edits: widenEdits(trace, birth, op) };
      // A bound changes what is computed, unless a mask hides it.
      const isHidden = rootsAreFinite(trace);
      return isHidden || wide.edits.length === 0 || !canWiden(trace, birth) ? bounded : { ...wide, others: [bounded] };
    },
  }),
};
