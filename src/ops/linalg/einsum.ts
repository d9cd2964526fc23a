/** Sums of products by Einstein's convention. The order of operations is PyTorch's (aten/src/ATen/native/Linear.cpp). */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { RuntimeError, ValueError } from "../../errors.ts";
import { numelOf } from "../../tensor/layout.ts";
import { Tensor } from "../../tensor/tensor.ts";

const ELLIPSIS = "...";
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const fail = (text: string): RuntimeError => new RuntimeError(`einsum(): ${text}`);

/** The labels of one side of an equation up to `end`; `where` names the operand, or the output, in texts. */
function parseLabels(equation: string, start: number, end: number, where: string, twice: string, part: string): string[] {
  const labels: string[] = [];
  for (let i = start; i < end; i++) {
    const letter = equation[i];
    if (letter === " ") continue;
    if (letter === ".") {
      if (labels.includes(ELLIPSIS)) throw fail(`found '.' for ${where} ${twice}`);
      if (i + 2 >= end || equation.slice(i, i + 3) !== ELLIPSIS) throw fail(`found '.' for ${where} ${part}`);
      labels.push(ELLIPSIS);
      i += 2;
    } else if (LETTERS.includes(letter)) {
      labels.push(letter);
    } else {
      throw fail(`invalid subscript given at index ${i} in the equation string, subscripts must be in [a-zA-Z]`);
    }
  }
  return labels;
}

interface Equation {
  operands: string[][];
  /** Null where the equation has no arrow. */
  output: string[] | null;
}

function parse(equation: string, count: number): Equation {
  const arrow = equation.indexOf("->");
  const end = arrow < 0 ? equation.length : arrow;
  const operands: string[][] = [];
  let start = 0;
  for (const part of equation.slice(0, end).split(",")) {
    const k = operands.length;
    if (k === count) throw fail("fewer operands were provided than specified in the equation");
    operands.push(parseLabels(equation, start, start + part.length, `operand ${k}`, "for which an ellipsis was already found", "that is not part of any ellipsis"));
    start += part.length + 1;
  }
  if (operands.length < count) throw fail("more operands were provided than specified in the equation");
  const output =
    arrow < 0 ? null : parseLabels(equation, arrow + 2, equation.length, "output", "but an ellipsis (...) was already found", "that is not part of any ellipsis (...)");
  return { operands, output };
}

/** Where each label lies among the dimensions of the aligned operands: those of the output first, then those summed over. */
interface Alignment {
  places: Map<string, number>;
  /** First dimension of the ellipsis, and how many there are. */
  ellipsis: number;
  covered: number;
  outputs: number;
  total: number;
}

function align({ operands, output }: Equation, tensors: readonly Tensor[]): Alignment {
  const counts = new Map<string, number>();
  let covered = 0;
  operands.forEach((labels, i) => {
    const ndim = tensors[i]._sizes.length;
    const own = labels.filter((label) => label !== ELLIPSIS);
    const open = own.length < labels.length;
    if (open ? own.length > ndim : own.length !== ndim) {
      const problem = open ? "is more than" : "does not match";
      throw fail(`the number of subscripts in the equation (${own.length}) ${problem} the number of dimensions (${ndim}) for operand ${i}${open ? "" : " and no ellipsis was given"}`);
    }
    if (open) covered = Math.max(covered, ndim - own.length);
    for (const label of own) counts.set(label, (counts.get(label) ?? 0) + 1);
  });
  const known = [...LETTERS].filter((label) => counts.has(label));
  const places = new Map<string, number>();
  let ellipsis = -1;
  let total = 0;
  for (const label of output ?? [ELLIPSIS, ...known.filter((l) => counts.get(l) === 1)]) {
    if (label === ELLIPSIS) {
      ellipsis = total;
      total += covered;
      continue;
    }
    if (places.has(label)) throw fail(`output subscript ${label} appears more than once in the output`);
    if (!counts.has(label)) throw fail(`output subscript ${label} does not appear in the equation for any input operand`);
    places.set(label, total++);
  }
  const outputs = total;
  if (ellipsis < 0) {
    ellipsis = total;
    total += covered;
  }
  for (const label of known) if (!places.has(label)) places.set(label, total++);
  return { places, ellipsis, covered, outputs, total };
}

/** Checks the sizes of the dimensions as operands are aligned, and counts for each how many operands have it with a size other than 1. */
class Extents {
  readonly sizes: number[];
  readonly counts: number[];
  constructor(total: number) {
    this.sizes = new Array<number>(total).fill(1);
    this.counts = new Array<number>(total).fill(0);
  }
  add(place: number, size: number, clash: (seen: number) => string): void {
    if (size === 1) return;
    const seen = this.sizes[place];
    if (seen !== 1 && seen !== size) throw fail(clash(seen));
    this.sizes[place] = size;
    this.counts[place]++;
  }
}

/** The operand with its dimensions at their places, missing ones inserted with size 1, repeated labels' diagonals taken. */
function aligned(operand: Tensor, labels: readonly string[], i: number, { places, ellipsis, covered, total }: Alignment, extents: Extents): Tensor {
  const order = new Array<number>(total).fill(-1);
  let op = operand;
  let dim = 0;
  for (const label of labels) {
    if (label === ELLIPSIS) {
      const own = operand._sizes.length - (labels.length - 1);
      for (let j = covered - own; j < covered; j++) {
        const size = op._sizes[dim];
        extents.add(ellipsis + j, size, (seen) => `dimension ${dim} covered by ellipsis in operand ${i}has size ${size} which does not broadcast with previously seen ellipsis with size ${seen} for the respective dimension`);
        order[ellipsis + j] = dim++;
      }
      continue;
    }
    const place = places.get(label)!;
    const size = op._sizes[dim];
    const previous = order[place];
    if (previous === -1) {
      extents.add(place, size, (seen) => `subscript ${label} has size ${size} for operand ${i} which does not broadcast with previously seen size ${seen}`);
      order[place] = dim++;
    } else {
      if (size !== op._sizes[previous]) throw fail(`subscript ${label} is repeated for operand ${i} but the sizes don't match, ${size} != ${op._sizes[previous]}`);
      op = op.diagonal(0, previous, dim).movedim(-1, previous);
    }
  }
  for (let place = 0; place < total; place++) {
    if (order[place] !== -1) continue;
    op = op.unsqueeze(dim);
    order[place] = dim++;
  }
  return op.permute(order);
}

/** The product of two aligned operands, summed over `sumDims`, which stay with size 1: one product of batches of matrices. */
function sumOfProducts(left: Tensor, right: Tensor, sumDims: readonly number[]): Tensor {
  if (sumDims.length === 0) return left.mul(right);
  const both: number[] = [];
  const leftOnly: number[] = [];
  const rightOnly: number[] = [];
  for (let d = 0; d < left._sizes.length; d++) {
    if (sumDims.includes(d)) continue;
    const [l, r] = [left._sizes[d] !== 1, right._sizes[d] !== 1];
    (l && r ? both : l ? leftOnly : rightOnly).push(d);
  }
  const sizesOf = (t: Tensor, dims: readonly number[]): number[] => dims.map((d) => t._sizes[d]);
  const [batch, rows, columns, summed] = [numelOf(sizesOf(left, both)), numelOf(sizesOf(left, leftOnly)), numelOf(sizesOf(right, rightOnly)), numelOf(sizesOf(left, sumDims))];
  const sizes = [...sizesOf(left, both), ...sizesOf(left, leftOnly), ...sumDims.map(() => 1), ...sizesOf(right, rightOnly)];
  const order = [...both, ...leftOnly, ...sumDims, ...rightOnly];
  const a = left.permute(order).reshape([batch, rows, summed]);
  const b = right.permute([...both, ...sumDims, ...rightOnly, ...leftOnly]).reshape([batch, summed, columns]);
  const back = new Array<number>(order.length);
  order.forEach((d, i) => (back[d] = i));
  return a.bmm(b).view(sizes).permute(back);
}

/** Multiplies the operands from left to right; what no later operand has is summed over at once. */
function contract(ops: readonly Tensor[], { outputs, total }: Alignment, counts: number[]): Tensor {
  return ops.reduce((left, right) => {
    const [both, leftOnly, rightOnly]: number[][] = [[], [], []];
    for (let d = outputs; d < total; d++) {
      const [l, r] = [left._sizes[d] !== 1, right._sizes[d] !== 1];
      if (l && r) {
        if (--counts[d] !== 1) continue;
        both.push(d);
      } else {
        if (counts[d] !== 1 || (!l && !r)) continue;
        (l ? leftOnly : rightOnly).push(d);
      }
      counts[d] = 0;
    }
    const a = leftOnly.length > 0 ? left.sum(leftOnly, true) : left;
    const b = rightOnly.length > 0 ? right.sum(rightOnly, true) : right;
    return sumOfProducts(a, b, both);
  });
}

function evaluate(text: string, tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw fail("must provide at least one operand");
  const equation = parse(text, tensors.length);
  const alignment = align(equation, tensors);
  const { outputs, total } = alignment;
  const extents = new Extents(total);
  const ops = tensors.map((t, i) => aligned(t, equation.operands[i], i, alignment, extents));
  const result = contract(ops, alignment, extents.counts);
  if (total === outputs) return result;
  if (ops.length > 1) return result.view(result._sizes.slice(0, outputs));
  return result.sum(Array.from({ length: total - outputs }, (_, k) => outputs + k));
}

type Sublist = readonly (number | typeof ELLIPSIS)[];

function labelOf(subscript: number | string): string {
  if (subscript === ELLIPSIS) return ELLIPSIS;
  const label = LETTERS[subscript as number];
  if (label === undefined) throw new ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)");
  return label;
}

/** The equation of operands that are followed by lists of subscripts, the last list being the output's. */
function equationOf(args: readonly unknown[]): string {
  const text = (list: unknown): string => (list as Sublist).map(labelOf).join("");
  const inputs = args.filter((_, i) => i % 2 === 1).map(text).join(",");
  return args.length % 2 === 1 ? `${inputs}->${text(args[args.length - 1])}` : inputs;
}

type Operand = Tensor | readonly Tensor[] | Sublist;

/**
 * Multiplies the operands, labelled dimension by dimension, and sums over the labels that the output lacks. Without an
 * arrow the output has the labels that occur once, in alphabetic order. "..." stands for any further dimensions.
 *
 * @throws RuntimeError where the equation does not fit the operands.
 * @example
 * torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(3, 4)).shape; // [2, 4]
 */
export const einsum: FunctionOp<[equation: string | Tensor, ...operands: Operand[]]> = composite(
  "einsum(Any equation, Any[] *operands) -> Tensor",
  (equation: string | Tensor, operands: readonly unknown[]) => {
    if (equation instanceof Tensor) {
      const args = [equation, ...operands];
      return evaluate(equationOf(args), args.slice(0, args.length & ~1).filter((_, i) => i % 2 === 0) as Tensor[]);
    }
    const first = operands[0];
    return evaluate(equation, (operands.length === 1 && Array.isArray(first) ? first : operands) as Tensor[]);
  },
  { method: false },
);
