/** Methods that make a new tensor of `self`'s dtype; they are no functions of the torch namespace. */
import { composite, factory } from "../../dispatch/define.ts";
import type { Op } from "../../dispatch/op.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Sizes } from "../../tensor/layout.ts";
import { emptyTensor, type Tensor } from "../../tensor/tensor.ts";
import type { Size, TensorOptions } from "./creation.ts";
import { checkSizes, fillChecked, filled, fromData, strided, type TensorData } from "./fill.ts";
import { construct } from "./legacy.ts";

type New = Op<[self: Tensor, ...sizesOrData: number[] | [data: TensorData]]>;

/** A tensor of `self`'s dtype as the constructors make it, of sizes or of data. */
const newOf: New = composite("new(Tensor self, Any[] *args=[]) -> Tensor", (self: Tensor, given: unknown[]) => construct(self.dtype, given));
export { newOf as new };

type NewSized = Op<[self: Tensor, size: Size], TensorOptions> & ((self: Tensor, ...sizes: number[]) => Tensor);

const sized = (name: string, value: number | null): NewSized =>
  factory(
    `${name}(Tensor self, int[] size, *, ScalarType? dtype=None) -> Tensor`,
    (self: Tensor, size: Sizes, dtype: DType | null) =>
      value === null ? emptyTensor(checkSizes(size), dtype ?? self.dtype) : filled(size, value, dtype ?? self.dtype),
    { method: true },
  );

/** Zeros of `self`'s dtype. */
export const new_zeros: NewSized = sized("new_zeros", 0);
/** Ones of `self`'s dtype. */
export const new_ones: NewSized = sized("new_ones", 1);
/** An unset tensor of `self`'s dtype. */
export const new_empty: NewSized = sized("new_empty", null);

/** A tensor of `self`'s dtype, filled with one value. */
export const new_full: Op<[self: Tensor, size: Size, fill_value: number | bigint | boolean], TensorOptions> = factory(
  "new_full(Tensor self, int[] size, Scalar fill_value, *, ScalarType? dtype=None) -> Tensor",
  (self: Tensor, size: Sizes, value: number, dtype: DType | null) => fillChecked(emptyTensor(checkSizes(size), dtype ?? self.dtype), value),
  { method: true },
);

/** A tensor of given data in `self`'s dtype. */
export const new_tensor: Op<[self: Tensor, data: TensorData], TensorOptions> = factory(
  "new_tensor(Tensor self, Any data, *, ScalarType? dtype=None) -> Tensor",
  (self: Tensor, data: TensorData, dtype: DType | null) => fromData(data, dtype ?? self.dtype),
  { method: true },
);

/** An unset tensor of `self`'s dtype with the strides given. */
export const new_empty_strided: Op<[self: Tensor, size: Size, stride: Size], TensorOptions> = factory(
  "new_empty_strided(Tensor self, int[] size, int[] stride, *, ScalarType? dtype=None) -> Tensor",
  (self: Tensor, size: Sizes, stride: Sizes, dtype: DType | null) => strided(size, stride, dtype ?? self.dtype),
  { method: true },
);
