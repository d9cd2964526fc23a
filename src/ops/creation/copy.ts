/** Copies, casts and detached aliases. */
import { ops } from "../../autograd/engine-ops.ts";
import type { InplaceOp, Op, TensorLike } from "../../dispatch/op.ts";
import { kernel } from "../../dispatch/define.ts";
import { fused } from "../../dispatch/fused.ts";
import { refuseBroadcastOutput, refuseInternalOverlap, refusePartialOverlap, resultStrides } from "../../dispatch/iterate.ts";
import type { Formula } from "../../ir/arithmetic.ts";
import { RuntimeError } from "../../errors.ts";
import { bool, DType, FLOAT, float32, float64, int16, int32, int64, int8, tensorTypeName, uint8 } from "../../tensor/dtype.ts";
import { broadcastSizes, isNonOverlappingAndDense, listText, type Sizes } from "../../tensor/layout.ts";
import { emptyStrided, emptyTensor, Tensor } from "../../tensor/tensor.ts";

const same: Formula = ({ self }) => self;

/** Writes `source`, cast and broadcast, over `self`; unrecorded. Without a cast all bits are kept, those of a NaN too. */
export function writeInto(self: Tensor, source: Tensor): Tensor {
  return fused(same).run([source], source.dtype, self.dtype, self);
}

/** A copy of `self` as `dtype` in row-major order. */
export function contiguousCopy(self: Tensor, dtype: DType = self.dtype): Tensor {
  return writeInto(emptyTensor(self._sizes, dtype), self);
}

/** `self` where it is of `dtype` and in row-major order already, else a copy that is; unrecorded. */
export function rowMajor(self: Tensor, dtype: DType = self.dtype): Tensor {
  return self._contiguous && self.dtype === dtype ? self : contiguousCopy(self, dtype);
}

/** A copy that keeps the memory order of `self`; unrecorded. */
export function preservingCopy(self: Tensor, dtype: DType = self.dtype): Tensor {
  const dense = isNonOverlappingAndDense(self._sizes, self._strides);
  return writeInto(emptyStrided(self._sizes, dense ? self._strides : resultStrides(self._sizes, [self]), dtype), self);
}

export type MemoryFormat = "torch.contiguous_format" | "torch.preserve_format";

/** Row-major memory order, as a value of `memory_format`. */
export const contiguous_format: MemoryFormat = "torch.contiguous_format";
/** The same, by the name that it has as the default of old functions. */
export const legacy_contiguous_format: MemoryFormat = contiguous_format;
/** The memory order of the input, as a value of `memory_format`. */
export const preserve_format: MemoryFormat = "torch.preserve_format";

/** A copy with memory of its own, in the graph. */
export const clone: Op<[self: Tensor], { memory_format?: MemoryFormat }> = kernel("clone(Tensor self, *, Any memory_format=None) -> Tensor", {
  forward: (self: Tensor, format: MemoryFormat | null) => (format === contiguous_format ? contiguousCopy(self) : preservingCopy(self, self.dtype)),
  backward: { self: ({ grad }) => grad },
  // The copy is a normal tensor, and PyTorch writes it with `copy_`.
  recordsInference: true,
});

/** Writes `other`, a tensor or a number, cast and broadcast, into `self`. */
export const copy: InplaceOp<[self: Tensor, other: TensorLike, non_blocking?: boolean]> = kernel("copy(Tensor self, Tensor other, bool non_blocking=False) -> Tensor", {
  forward: (self: Tensor, other: Tensor) => writeInto(emptyTensor(self._sizes, self.dtype), other),
  backward: { self: ({ grad }) => ops.full(grad._sizes, 0, grad.dtype), other: ({ grad }) => grad },
  numbers: true,
  node: "torch::autograd::CopyBackwards",
  method: false,
  floatsOnly: true,
  inplace: (self: Tensor, other: Tensor) => {
    refuseInternalOverlap(self);
    refusePartialOverlap(self, other);
    refuseBroadcastOutput(self, broadcastSizes(self._sizes, other._sizes));
    writeInto(self, other);
  },
});

/** Why a shape cannot be expanded, in PyTorch's words. */
export function expandError(sizes: Sizes, to: Sizes, dtype: DType = float32): RuntimeError {
  if (sizes.length > to.length) {
    return new RuntimeError(
      `expand(${tensorTypeName(dtype)}{${listText(sizes)}}, size=${listText(to)}): the number of sizes provided (${to.length}) must be greater or equal to the number of dimensions in the tensor (${sizes.length})`,
    );
  }
  const lead = to.length - sizes.length;
  const dim = sizes.findLastIndex((s, i) => s !== to[lead + i] && s !== 1);
  return new RuntimeError(
    `The expanded size of the tensor (${to[lead + dim]}) must match the existing size (${sizes[dim]}) at non-singleton dimension ${lead + dim}.  Target sizes: ${listText(to)}.  Tensor sizes: ${listText(sizes)}`,
  );
}

/** `self` if it is row-major, else a row-major copy. */
export function contiguous(self: Tensor): Tensor {
  return self._contiguous ? self : clone(self, { memory_format: contiguous_format });
}

/** A copy as `dtype`, in the graph; the gradient is cast back. */
export const _to_copy: Op<[self: Tensor], { dtype?: DType; memory_format?: MemoryFormat }> = kernel(
  "_to_copy(Tensor self, *, ScalarType? dtype=None, Any memory_format=None) -> Tensor",
  {
    forward: (self: Tensor, dtype: DType | null, format: MemoryFormat | null) =>
      format === contiguous_format ? contiguousCopy(self, dtype ?? self.dtype) : preservingCopy(self, dtype ?? self.dtype),
    backward: { self: ({ grad }) => grad },
    node: "ToCopyBackward0",
    recordsInference: true,
    recorded: ([self, dtype]) => ((dtype ?? (self as Tensor).dtype) as DType).kind === FLOAT,
    method: false,
  },
);

/** `self` as `dtype`; `self` itself where it is that already, unless `copy`. */
export function castTo(self: Tensor, dtype: DType, copy = false, format?: MemoryFormat | null): Tensor {
  if (self.dtype === dtype && !copy) return self;
  return format ? _to_copy(self, { dtype, memory_format: format }) : _to_copy(self, { dtype });
}

/** The methods that convert to a dtype, by PyTorch's names. */
export const conversions: Record<string, DType> = {
  float: float32, double: float64, long: int64, int: int32, short: int16, char: int8, byte: uint8, bool,
};
