/** Methods of Tensor that PyTorch has as methods only: conversions, reading out, and the like. */
import { CompositeOverload, composite } from "../dispatch/define.ts";
import { makeOp, type InplaceOp, type Op, type SplitOp, type TensorLike } from "../dispatch/op.ts";
import { bool, DType, float32, float64, int16, int32, int64, int8, uint8 } from "../tensor/dtype.ts";
import { checkDevice, type Device } from "../tensor/device.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { castTo, contiguous as contiguousOf, copy as copyOp, type MemoryFormat } from "./creation/copy.ts";
import { dtypeOfType, type LegacyConstructor } from "./creation/legacy.ts";
import { polygammaMethod } from "./pointwise/gamma-functions.ts";
import { where as whereOp } from "./pointwise/selection.ts";

interface ToOptions {
  dtype?: DType;
  copy?: boolean;
  non_blocking?: boolean;
  device?: Device | string;
  memory_format?: MemoryFormat;
}

/** `self` as another dtype, or as that of another tensor; `self` itself where nothing changes. */
export const to: Op<[self: Tensor, to: DType | Tensor | Device | string, dtype_or_non_blocking?: DType | boolean, copy?: boolean], ToOptions> & ((self: Tensor, options: ToOptions) => Tensor) = makeOp(
  "to",
  [
    new CompositeOverload(
      "to.dtype(Tensor self, ScalarType dtype, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None) -> Tensor",
      (self: Tensor, dtype: DType, _nonBlocking: boolean, copy: boolean, format: MemoryFormat | null) => castTo(self, dtype, copy, format),
    ),
    new CompositeOverload(
      "to.other(Tensor self, Tensor other, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None) -> Tensor",
      (self: Tensor, other: Tensor, _nonBlocking: boolean, copy: boolean, format: MemoryFormat | null) => castTo(self, other.dtype, copy, format),
    ),
    new CompositeOverload(
      "to.device(Tensor self, Device? device=None, ScalarType? dtype=None, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None) -> Tensor",
      (self: Tensor, device: Device | string | null, dtype: DType | null, _nonBlocking: boolean, copy: boolean, format: MemoryFormat | null) => {
        checkDevice(device);
        return castTo(self, dtype ?? self.dtype, copy, format);
      },
    ),
  ],
  true,
) as typeof to;

type Conversion = Op<[self: Tensor], { memory_format?: MemoryFormat }>;

const conversion = (name: string, dtype: DType): Conversion =>
  composite(`${name}(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor`, (self: Tensor, format: MemoryFormat | null) => castTo(self, dtype, false, format));

/** `self` as float32. */
export const float: Conversion = conversion("float", float32);
/** `self` as float64. */
export const double: Conversion = conversion("double", float64);
/** `self` as int64. */
export const long: Conversion = conversion("long", int64);
/** `self` as int32. */
export const int: Conversion = conversion("int", int32);
/** `self` as int16. */
export const short: Conversion = conversion("short", int16);
/** `self` as int8. */
export const char: Conversion = conversion("char", int8);
/** `self` as uint8. */
export const byte: Conversion = conversion("byte", uint8);
const toBool: Conversion = conversion("bool", bool);
export { toBool as bool };

/** `self` as the dtype of `other`. */
export const type_as: Op<[self: Tensor, other: Tensor]> = composite("type_as(Tensor self, Tensor other) -> Tensor", (self: Tensor, other: Tensor) => castTo(self, other.dtype));

/** `self` as another dtype, which may be given by its constructor or the name of that, "torch.FloatTensor"; without one, that name of its own dtype. */
export const type: SplitOp<[self: Tensor], unknown, string, [self: Tensor, dtype: DType | LegacyConstructor | string], { non_blocking?: boolean }, Tensor> = makeOp(
  "type",
  [
    new CompositeOverload("type(Tensor self, ScalarType? dtype=None, bool non_blocking=False) -> Tensor", (self: Tensor, dtype: DType | null) =>
      dtype === null ? `torch.${self.dtype.title}Tensor` : castTo(self, dtype),
    ),
    new CompositeOverload("type(Tensor self, Any dtype, bool non_blocking=False) -> Tensor", (self: Tensor, type: LegacyConstructor | string) => castTo(self, dtypeOfType(type))),
  ],
  true,
) as typeof type;

/** `self` if it lies in row-major order, else a copy that does. */
export const contiguous: Op<[self: Tensor], { memory_format?: MemoryFormat }> = composite(
  "contiguous(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor",
  (self: Tensor) => contiguousOf(self),
);

/** Writes a tensor or a number into `self` (`copy_`). */
export const copy: InplaceOp<[self: Tensor, other: TensorLike, non_blocking?: boolean]> = copyOp;

/** `self` where `condition` holds, `other` elsewhere. */
export const where: Op<[self: Tensor, condition: Tensor, other: TensorLike]> = composite(
  "where(Tensor self, Tensor condition, Any other) -> Tensor",
  (self: Tensor, condition: Tensor, other: TensorLike) => whereOp(condition, self, other),
);

/** The `n`-th derivative of digamma, at `self`. */
export const polygamma: InplaceOp<[self: Tensor, n: number]> = polygammaMethod;

/** `self` on the CPU, where it is. */
export const cpu: Op<[self: Tensor]> = composite("cpu(Tensor self) -> Tensor", (self: Tensor) => self);

