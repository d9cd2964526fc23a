import { boundsOf, clampEdits, findBirths, operandText } from "./birth-rule.ts";
import type { OpEvent } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { editOf } from "./describe.ts";
import { kindOf } from "./kinds.ts";
import { isMethod } from "./operands.ts";
import type { Fix, Rule } from "./rule.ts";

/** The logarithm of a product that is too small for its dtype: `p.prod(1)`, and then `.log()`, becomes `p.log().sum(1)`. */
function sumOfLogarithms(trace: Trace, op: OpEvent | null): Fix | null {
  const user = op === null || op.name !== "log" ? null : trace.userOp(op);
  const maker = user === null ? null : trace.makerOf(user.inputs[0]);
  const product = maker?.name === "prod" && trace.tensors.get(maker.inputs[0])!.values.zero === 0 ? trace.userOp(maker) : null;
  const [call, made] = [user, product].map((each) => (each === null ? null : trace.expression(each.place)));
  if (call == null || made?.receiver == null || !isMethod(trace, product!, made)) return null;
  const { file } = product!.place!;
  const [factors, ...dims] = [made.receiver, ...made.arguments].map((span) => trace.textOf(span, file));
  const text = `${factors}.log().sum(${dims.join(", ")})`;
  return { text: `the product is too small for its dtype, though no factor is 0; add the logarithms instead: ${text}`, edits: [editOf(trace, user!.place!.file, call, text)] };
}

export const logOfZero: Rule = {
  id: "log-of-zero",
  title: "The logarithm of zero, or of a negative number",
  severity: "error",
  certainty: 0.95,
  why: `log(0) is -inf, and of a negative number it is NaN. Probabilities reach 0 by rounding: a sigmoid or a softmax of a
large number is exactly 0 or 1 in float32, and hand-written cross entropies and entropies take its logarithm.`,
  fix: `Compute the logarithm in one step with what it is taken of: log_softmax, F.logsigmoid, F.cross_entropy,
F.binary_cross_entropy_with_logits. Else keep the input in the domain: p.clamp({ min: 1e-12 }).log().`,
  bad: `import * as torch from "leafgrad";

const scores = torch.tensor([0, 200], { requires_grad: true });
const p = scores.softmax(0);
const loss = p.index(0).log().neg();
loss.backward();
`,
  good: `import * as torch from "leafgrad";

const scores = torch.tensor([0, 200], { requires_grad: true });
const loss = scores.log_softmax(0).index(0).neg();
loss.backward();
`,
  detect: (trace) => findBirths(trace, (birth) => kindOf(birth, trace) === "logarithm", {
    fix(trace, birth, op) {
      const bounded = { text: `keep the input above ${op?.name === "log1p" ? "-1" : "zero"}, ${operandText(trace, birth, op)}.clamp(${boundsOf(birth)}), or use log_softmax or a loss that takes logits`, edits: clampEdits(trace, birth, op) };
      const sum = sumOfLogarithms(trace, op);
      return sum === null ? bounded : { ...sum, others: [bounded] };
    },
  }),
};
