/** The forms of arithmetic that PyTorch's C++ picks where the second operand is a number. They differ from the others in the names of their nodes. */
import { PointwiseOverload } from "../../dispatch/pointwise.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import type { Tensor } from "../../tensor/tensor.ts";

function withNumber(name: "add" | "sub" | "mul" | "div", node: string, value: Formula, slope: Formula): (self: Tensor, other: number) => Tensor {
  const overload = new PointwiseOverload(`${name}.Scalar(Tensor self, Scalar other) -> Tensor`, {
    value, backward: { self: slope }, promoted: ["other"], out: name === "div" ? "float" : "same", node, inplace: false,
  });
  return (self, other) => overload.call([self, other]);
}

const pass: Formula = ({ grad }) => grad;

/** self + other, recorded as AddBackward1. */
export const addNumber = withNumber("add", "AddBackward1", ({ self, other }) => self.add(other), pass);
/** self - other, recorded as SubBackward1. */
export const subNumber = withNumber("sub", "SubBackward1", ({ self, other }) => self.sub(other), pass);
/** self · other, recorded as MulBackward1. */
export const mulNumber = withNumber("mul", "MulBackward1", ({ self, other }) => self.mul(other), ({ grad, other }) => grad.mul(other));
/** self / other, recorded as DivBackward1. */
export const divNumber = withNumber("div", "DivBackward1", ({ self, other }) => self.div(other), ({ grad, other }) => grad.div(other));
