/** Connectionist temporal classification (Graves et al., 2006), as in aten/src/ATen/native/LossCTC.cpp. */
import { gradMode } from "../../autograd/grad-mode.ts";
import { NotImplementedNode } from "../../autograd/node.ts";
import { gradientNode, setHistory } from "../../autograd/variable.ts";
import { composite, KernelOverload } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { fromData } from "../creation/fill.ts";
import { where } from "../pointwise/selection.ts";
import { mean, none, reductionCode, type Reduction } from "./loss-reduction.ts";

/** The logarithm of the sum of exponentials. */
function logSum(...terms: number[]): number {
  const most = Math.max(...terms);
  if (most === -Infinity) return most;
  return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
}

/** One sample: its labels with blanks between and around them, and the logarithm of the probability of label s at time t. */
interface Sample {
  readonly labels: readonly number[];
  readonly time: number;
  at(t: number, s: number): number;
}

function* samples(probabilities: Tensor, targets: readonly (readonly number[])[], times: readonly number[], blank: number): Generator<Sample> {
  const [, batch, classes] = probabilities._sizes;
  const values = viewTyped(probabilities) as Float64Array;
  for (let b = 0; b < batch; b++) {
    const labels = [blank, ...targets[b].flatMap((label) => [label, blank])];
    yield { labels, time: times[b], at: (t, s) => values[(t * batch + b) * classes + labels[s]] };
  }
}

/** May the path go from label s - 2 to s at once? */
const skips = (labels: readonly number[], s: number): boolean => s > 1 && labels[s] !== labels[s - 2] && s % 2 === 1;

/** For each time and label the logarithm of the probability of all ways there, the time itself included; backwards for `reversed`. */
function ways({ labels, time, at }: Sample, reversed: boolean): Float64Array[] {
  const last = labels.length - 1;
  const order = reversed ? labels.toReversed() : labels;
  const steps: Float64Array[] = [];
  for (let t = 0; t < time; t++) {
    const read = (s: number): number => at(reversed ? time - 1 - t : t, reversed ? last - s : s);
    const before = steps.at(-1);
    steps.push(
      Float64Array.from(order, (_, s) => {
        if (before === undefined) return s < 2 ? read(s) : -Infinity;
        return logSum(before[s], s > 0 ? before[s - 1] : -Infinity, skips(order, s) ? before[s - 2] : -Infinity) + read(s);
      }),
    );
  }
  return reversed ? steps.toReversed().map((step) => step.toReversed()) : steps;
}

function lossOf(sample: Sample): number {
  const end = ways(sample, false).at(-1);
  if (end === undefined) return sample.labels.length === 1 ? 0 : Infinity;
  return -(end.length === 1 ? end[0] : logSum(end.at(-1)!, end.at(-2)!));
}

/** The gradient of one sample's loss, written into the rows of its times. */
function writeGradient(sample: Sample, loss: number, grad: number, rows: (t: number) => Float64Array, probabilities: (t: number) => Float64Array): void {
  const [alpha, beta] = [ways(sample, false), ways(sample, true)];
  for (let t = 0; t < sample.time; t++) {
    const [row, log] = [rows(t), probabilities(t)];
    const through = new Float64Array(row.length).fill(-Infinity);
    sample.labels.forEach((label, s) => (through[label] = logSum(through[label], alpha[t][s] + beta[t][s])));
    for (let c = 0; c < row.length; c++) row[c] = (Math.exp(log[c]) - Math.exp(through[c] + loss - log[c])) * grad;
  }
}

function gradient(grad: Tensor, log: Tensor, targets: number[][], times: number[], blank: number, zeroInfinity: boolean, loss: Tensor): Tensor {
  const probabilities = rowMajor(log);
  const out = emptyTensor(log._sizes, log.dtype).zero_();
  const [, batch, classes] = log._sizes;
  const [incoming, losses] = [grad, loss].map((t) => (t.tolist() as number[]));
  const row = (t: Tensor, at: number, b: number): Float64Array => (viewTyped(t) as Float64Array).subarray((at * batch + b) * classes, (at * batch + b + 1) * classes);
  let b = 0;
  for (const sample of samples(probabilities, targets, times, blank)) {
    const own = b++;
    if (zeroInfinity && losses[own] === Infinity) continue;
    writeGradient(sample, losses[own], incoming[own], (t) => row(out, t, own), (t) => row(probabilities, t, own));
  }
  if (gradMode.enabled) setHistory(out, new NotImplementedNode("aten::_ctc_loss_backward", [grad, log].map(gradientNode)));
  return out;
}

const kernel = new KernelOverload("_ctc_loss(Tensor log_probs, Any targets, Any times, int blank, bool zero_infinity) -> Tensor", {
  forward: (log: Tensor, targets: number[][], times: number[], blank: number) =>
    fromData(Float64Array.from(samples(rowMajor(log), targets, times, blank), lossOf), log.dtype),
  backward: { log_probs: ({ grad, log_probs, targets, times, blank, zero_infinity, result }) => gradient(grad, log_probs, targets, times, blank, zero_infinity, result) },
  node: "CtcLossBackward0",
});

type Lengths = Tensor | readonly number[];

function lengthsOf(given: Lengths, batch: number, what: string): number[] {
  if (given instanceof Tensor && given.dtype.kind === FLOAT) throw new RuntimeError(`${what} must be integral`);
  const list = (given instanceof Tensor ? (given.reshape([-1]).tolist() as (number | bigint)[]) : given).map(Number);
  if (list.length !== batch) throw new RuntimeError(`${what} must be of size batch_size`);
  return list;
}

/** The labels of each sample, out of rows or of one list. */
function labelsOf(targets: Tensor, lengths: readonly number[]): number[][] {
  const most = Math.max(0, ...lengths);
  if (targets._sizes.length === 2) {
    if (targets._sizes[1] < most) {
      throw new RuntimeError(`Expected tensor to have size at least ${most} at dimension 1, but got size ${targets._sizes[1]} for argument #2 'targets' (while checking arguments for ctc_loss_allocate_outputs)`);
    }
    return (targets.tolist() as (number | bigint)[][]).map((row, b) => row.slice(0, lengths[b]).map(Number));
  }
  const all = (targets.reshape([-1]).tolist() as (number | bigint)[]).map(Number);
  let at = 0;
  return lengths.map((length) => all.slice(at, (at += length)));
}

interface Options {
  blank?: number;
  reduction?: Reduction;
  zero_infinity?: boolean;
}

/**
 * How improbable the labels `targets` are under `log_probs` (time, batch, classes), whatever blanks and repetitions stand between them. `targets` has a row for each sample,
 * or all labels in one list; "mean" divides each loss by the number of its labels first.
 *
 * @throws RuntimeError, ValueError or NotImplementedError where arguments do not fit.
 * @example
 * const probabilities = torch.full([3, 1, 2], 0.5);
 * torch.nn.functional.ctc_loss(probabilities.log(), torch.tensor([[1n]]), [3], [1]).exp().item(); // 1.3333333730697632
 */
export const ctc_loss: FunctionOp<[log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths, blank?: number, reduction?: Reduction, zero_infinity?: boolean], Options> = composite(
  "ctc_loss(Tensor log_probs, Tensor targets, Any input_lengths, Any target_lengths, int blank=0, str reduction='mean', bool zero_infinity=False) -> Tensor",
  (log: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths, blank: number, reduction: string, zeroInfinity: boolean) => {
    const code = reductionCode(reduction);
    const isBatch = log._sizes.length === 3;
    const rows = isBatch ? log : log.unsqueeze(1);
    const [time, batch, classes] = rows._sizes;
    const [times, lengths] = [lengthsOf(inputLengths, batch, "input_lengths"), lengthsOf(targetLengths, batch, "target_lengths")];
    if (blank < 0 || blank >= classes) throw new RuntimeError("blank must be in label range");
    if (log.dtype.kind !== FLOAT) throw new NotImplementedError(`"ctc_loss_cpu" not implemented for '${log.dtype.title}'`);
    const tooLong = times.find((t) => t > time);
    if (tooLong !== undefined) throw new RuntimeError(`Expected input_lengths to have value at most ${time}, but got value ${tooLong} (while checking arguments for ctc_loss_allocate_outputs)`);
    const labels = labelsOf(isBatch || targets._sizes.length !== 1 ? targets : targets.unsqueeze(0), lengths);
    let losses = kernel.call([rows, labels, times, blank, zeroInfinity]) as Tensor;
    if (zeroInfinity) losses = where(losses.eq(Infinity), 0, losses);
    if (code === mean) return losses.div(fromData(lengths.map((length) => Math.max(length, 1)), log.dtype)).mean();
    if (code !== none) return losses.sum();
    return isBatch ? losses : losses.squeeze(0);
  },
  { takesOut: false },
);
