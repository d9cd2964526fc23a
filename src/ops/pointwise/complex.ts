/** What PyTorch offers for complex tensors, as far as it has a meaning for real ones: these pass through as they are. */
import { composite } from "../../dispatch/define.ts";
import { foundDtype } from "../../dispatch/out.ts";
import { pointwise } from "../../dispatch/pointwise.ts";
import type { FunctionOp, InplaceOp, Op } from "../../dispatch/op.ts";
import { RuntimeError } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";

const itself = (name: string): Op<[self: Tensor]> => composite(`${name}(Tensor self) -> Tensor`, (self: Tensor) => self, { takesOut: false });

/** The complex conjugate: `self` itself. */
export const conj: Op<[self: Tensor]> = itself("conj");
/** `self` with its conjugation carried out: `self` itself. */
export const resolve_conj: Op<[self: Tensor]> = itself("resolve_conj");
/** `self` with its negation carried out: `self` itself. */
export const resolve_neg: Op<[self: Tensor]> = itself("resolve_neg");
/** The complex conjugate, computed: `self` itself. */
export const conj_physical: InplaceOp<[self: Tensor]> = composite("conj_physical(Tensor self) -> Tensor", (self: Tensor) => self, { inplace: (self: Tensor) => self, outRule: foundDtype });

/** Refused: a real tensor has no imaginary part. */
export const imag: FunctionOp<[self: Tensor]> = composite(
  "imag(Tensor self) -> Tensor",
  () => {
    throw new RuntimeError("imag is not implemented for tensors with non-complex dtypes.");
  },
  { method: false, takesOut: false },
);

/** The angle of each element in the complex plane: 0, π for negative numbers, NaN for NaN. */
export const angle: Op<[self: Tensor]> = pointwise("angle(Tensor self) -> Tensor", {
  out: "float",
  value: ({ self }) => self.masked_fill(self.lt(0), Math.PI).masked_fill(self.ge(0), 0),
  backward: { self: ({ grad: _grad, self: _self }) => 0 },
  inplace: false,
});
