/** A rectifier whose slope below 0 is drawn for each element (RReLU). */
import { composite } from "../../dispatch/define.ts";
import type { FunctionOp } from "../../dispatch/op.ts";
import { PointwiseOverload } from "../../dispatch/pointwise.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import { defaultGenerator, type Generator } from "../../random/generator.ts";
import { FLOAT } from "../../tensor/dtype.ts";
import { viewTyped } from "../../tensor/read.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import { rowMajor } from "../creation/copy.ts";
import { zeroOf } from "../pointwise/activation.ts";
import { leakyReluForm } from "../pointwise/activation-forms.ts";

const drawn = (node: string): PointwiseOverload =>
  new PointwiseOverload("rrelu_with_noise(Tensor self, Tensor noise) -> Tensor", {
    value: ({ self, noise }) => self.mul(noise),
    backward: { self: ({ grad, self, noise }) => zeroOf(self).add(1).where(self.gt(0), noise).mul(grad) },
    node,
  });

const nodes = ["RreluWithNoiseBackward0", "RreluWithNoiseBackward1"];
const [drawnOut, drawnIn] = nodes.map(drawn);
const [meanOut, meanIn] = [leakyReluForm("self", nodes[0]), leakyReluForm("result", nodes[1])];

/** The slope of each element: 1 above 0, below it a number from [lower, upper), in row-major order. */
function slopesOf(self: Tensor, lower: number, upper: number, source: Generator): Tensor {
  const input = rowMajor(self.detach());
  const slopes = emptyTensor(self._sizes, self.dtype);
  const [x, out] = [viewTyped(input), viewTyped(slopes)] as [Float32Array, Float32Array];
  for (let i = 0; i < x.length; i++) out[i] = x[i] <= 0 ? source.uniform64() * (upper - lower) + lower : 1;
  return slopes;
}

function rectified(self: Tensor, lower: number, upper: number, training: boolean, source: Generator | null, inplace: boolean): Tensor {
  if (lower > upper) throw new RuntimeError("Lower bound should be less than or equal to the upper bound");
  if (!training) return inplace ? meanIn.inplace!([self, (lower + upper) / 2]) : (meanOut.call([self, (lower + upper) / 2]) as Tensor);
  if (self.dtype.kind !== FLOAT) throw new NotImplementedError(`"rrelu_with_noise_out_cpu" not implemented for '${self.dtype.title}'`);
  const values = [self, slopesOf(self, lower, upper, source ?? defaultGenerator)];
  return inplace ? drawnIn.inplace!(values) : (drawnOut.call(values) as Tensor);
}

interface Options {
  lower?: number;
  upper?: number;
  training?: boolean;
}
type Rrelu = FunctionOp<[self: Tensor, lower?: number, upper?: number, training?: boolean], Options & { generator?: Generator | null }>;

const schemaOf = (name: string): string => `${name}(Tensor self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, Generator? generator=None) -> Tensor`;

/**
 * x where it is positive, x times a slope from [lower, upper) elsewhere, drawn for each element; the mean of the bounds unless `training`.
 *
 * @throws RuntimeError where `lower` is above `upper`; NotImplementedError for integers.
 */
export const rrelu: Rrelu = composite(
  schemaOf("rrelu"),
  (self: Tensor, lower: number, upper: number, training: boolean, source: Generator | null) => rectified(self, lower, upper, training, source, false),
  { method: false, takesOut: false },
);
/** `rrelu` in place. */
export const rrelu_: Rrelu = composite(
  schemaOf("rrelu_"),
  (self: Tensor, lower: number, upper: number, training: boolean, source: Generator | null) => rectified(self, lower, upper, training, source, true),
  { method: false, takesOut: false },
);
/** torch.nn.functional.rrelu: `rrelu`, which `inplace` writes into `input`. */
export const functionalRrelu: FunctionOp<[input: Tensor, lower?: number, upper?: number, training?: boolean, inplace?: boolean], Options & { inplace?: boolean }> = composite(
  "rrelu(Tensor input, float lower=0.125, float upper=0.3333333333333333, bool training=False, bool inplace=False) -> Tensor",
  (input: Tensor, lower: number, upper: number, training: boolean, inplace: boolean) => rectified(input, lower, upper, training, null, inplace),
  { method: false, takesOut: false },
);
