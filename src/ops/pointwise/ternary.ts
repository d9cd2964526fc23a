/** Functions of three tensors, element by element. Derivatives as in PyTorch's tools/autograd/derivatives.yaml. */
import { choose, overloaded, pointwise, PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { InplaceOp } from "../../dispatch/op.ts";
import { NotImplementedError, RuntimeError } from "../../errors.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { bool, FLOAT, int16, int32, int64, int8, typeMetaName, uint8, BOOL, type DType } from "../../tensor/dtype.ts";
import { noKernel, both, mustFit } from "./refusals.ts";
import { Tensor } from "../../tensor/tensor.ts";

type Scaled = InplaceOp<[self: Tensor, tensor1: Tensor, tensor2: Tensor], { tensor1?: Tensor; tensor2?: Tensor; value?: number | bigint }>;

const pass: Formula = ({ grad }) => grad;

/** self + value · tensor1 · tensor2. */
export const addcmul: Scaled = pointwise("addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", {
  value: ({ self, tensor1, tensor2, value }) => self.add(tensor1.mul(value).mul(tensor2)),
  backward: {
    self: pass,
    tensor1: ({ grad, tensor2, value }) => grad.mul(tensor2.mul(value)),
    tensor2: ({ grad, tensor1, value }) => grad.mul(tensor1.mul(value)),
  },
  check: both(noKernel("addcmul_cpu_out", BOOL), mustFit(3)),
  numbers: false,
  hasDeprecated: true,
});

const INTEGER_DIVISION =
  "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of tensor1 and tensor2. " +
  "The historic addcdiv behavior can be implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as " +
  "(input + value * tensor1 / tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: " +
  "(input + value * tensor1 / tensor2), for all dtypes.";

const dividendGrad: Formula = ({ grad, tensor2, value }) => grad.mul(value.div(tensor2));

/** PyTorch divides a number by whole numbers in place, and fails. */
const wholeDividendGrads = new Map(
  [bool, uint8, int8, int16, int32, int64].map((dtype): [DType, Formula] => [
    dtype,
    ({ grad: _grad, tensor2: _tensor2, value: _value }) => {
      throw new RuntimeError(`result type Float can't be cast to the desired output type ${dtype.title}`);
    },
  ]),
);

/** self + value · tensor1 / tensor2. */
export const addcdiv: Scaled = pointwise("addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", {
  value: ({ self, tensor1, tensor2, value }) => self.add(tensor1.mul(value).div(tensor2)),
  backward: {
    self: pass,
    tensor1: choose(["tensor2"], ({ dtype }: Tensor) => wholeDividendGrads.get(dtype) ?? dividendGrad),
    tensor2: ({ grad, tensor1, tensor2, value }) => grad.neg().mul(tensor1.mul(value).div(tensor2.mul(tensor2))),
  },
  refuse: ([, tensor1, tensor2]) => {
    if ((tensor1 as Tensor).dtype.kind !== FLOAT && (tensor2 as Tensor).dtype.kind !== FLOAT) throw new RuntimeError(INTEGER_DIVISION);
  },
  numbers: false,
  hasDeprecated: true,
});

/** From the nearer end, so that a weight of 1 gives `end` exactly. */
const fromStart: Formula = ({ self, end, weight }) => self.add(weight.mul(end.sub(self)));
const fromEnd: Formula = ({ self, end, weight }) => end.sub(end.sub(self).mul(weight.neg().add(1)));

function refuseMixed([self, end, weight]: readonly unknown[]): void {
  const { dtype } = self as Tensor;
  for (const [name, t] of Object.entries({ end, weight })) {
    if (!(t instanceof Tensor) || t.dtype === dtype || (name === "weight" && t._sizes.length === 0)) continue;
    throw new RuntimeError(`expected dtype ${typeMetaName(dtype)} for \`${name}\` but got dtype ${typeMetaName(t.dtype)}`);
  }
}

function refuseIntegers([, , weight]: readonly unknown[], common: DType): void {
  if (common.kind !== FLOAT) {
    throw new NotImplementedError(`"lerp_kernel_${weight instanceof Tensor ? "tensor" : "scalar"}" not implemented for '${common.title}'`);
  }
}

/** self + weight · (end - self): on the line from `self` to `end`. */
export const lerp: InplaceOp<[self: Tensor, end: Tensor, weight: Tensor | number], { end?: Tensor; weight?: Tensor | number }> = overloaded(
  {},
  new PointwiseOverload("lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor", {
    value: ({ self, end, weight }) =>
      self.add(weight.mul(end.sub(self))).where(weight.abs().lt(0.5), end.sub(end.sub(self).mul(weight.neg().add(1)))),
    backward: {
      self: ({ grad, weight }) => grad.mul(weight.neg().add(1)),
      end: ({ grad, weight }) => grad.mul(weight),
      weight: ({ grad, self, end }) => grad.mul(end.sub(self)),
    },
    refuse: refuseMixed,
    check: refuseIntegers,
    node: "LerpBackward1",
    numbers: false,
  }),
  new PointwiseOverload("lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor", {
    value: choose(["weight"], (weight: number) => (Math.abs(weight) < 0.5 ? fromStart : fromEnd)),
    backward: {
      self: ({ grad, weight }) => grad.mul(weight.neg().add(1)),
      end: ({ grad, weight }) => grad.mul(weight),
    },
    refuse: refuseMixed,
    check: refuseIntegers,
    node: "LerpBackward0",
    numbers: false,
  }),
);
