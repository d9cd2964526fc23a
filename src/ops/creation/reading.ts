/** Reading tensors out: numbers, lists, typed arrays, text. */
import { gradFn, requiresGrad } from "../../autograd/variable.ts";
import type { Node } from "../../autograd/node.ts";
import { observed, type Reading as ReadingWay } from "../../autograd/observer.ts";
import { RuntimeError, ValueError, warn } from "../../errors.ts";
import { get_default_dtype } from "../../tensor/dtype.ts";
import { formatTensor } from "../../tensor/format.ts";
import { exactNumber, onlyElement, readElement, toList, viewTyped, type ElementArray, type NestedList } from "../../tensor/read.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { contiguousCopy } from "./copy.ts";

export interface Reading {
  /** The one element as a number, a bool tensor's as a boolean. */
  item(): number | boolean;
  /** The one element of an integer tensor, exactly. */
  itemBigInt(): bigint;
  /** All elements as nested lists; a 0-dim tensor's as a number. */
  tolist(): NestedList;
  /** A fresh typed array of the elements in row-major order: BigInt64Array for int64, Uint8Array for bool. */
  toTypedArray(): ElementArray;
  /** Is the one element different from zero? */
  is_nonzero(): boolean;
  /** PyTorch's `repr`. */
  toString(): string;
  [Symbol.toPrimitive](hint: string): string | number;
}

function suffix(t: Tensor): string | null {
  let node: Node | null;
  try {
    node = gradFn(t);
  } catch {
    return "grad_fn=<Invalid>";
  }
  if (node !== null) return `grad_fn=<${node.typeName}>`;
  return requiresGrad(t) ? "requires_grad=True" : null;
}

function text(t: Tensor): string {
  const at = (index: readonly number[]): number | bigint | boolean => readElement(t, index.reduce((o, i, d) => o + i * t._strides[d], t._offset));
  return formatTensor({ sizes: t._sizes, dtype: t.dtype.name, at }, suffix(t), get_default_dtype().name);
}

/** Tells an observer what was read. */
function seen<T>(tensor: Tensor, how: ReadingWay, result: T): T {
  if (observed.by !== null) observed.by.read(tensor, how, result);
  return result;
}

const methods: ThisType<Tensor> & Record<string, unknown> = {
  item() {
    return seen(this, "item", exactNumber(onlyElement(this)));
  },
  itemBigInt() {
    return BigInt(onlyElement(this));
  },
  tolist() {
    return seen(this, "tolist", toList(this));
  },
  toTypedArray() {
    return seen(this, "toTypedArray", viewTyped(this._contiguous ? this : contiguousCopy(this)).slice());
  },
  is_nonzero() {
    if (this._numel === 0) throw new RuntimeError("Boolean value of Tensor with no values is ambiguous");
    if (this._numel > 1) throw new RuntimeError("Boolean value of Tensor with more than one value is ambiguous");
    return Number(onlyElement(this)) !== 0;
  },
  toString() {
    return seen(this, "print", text(this));
  },
};

/** `Number(x)` is Python's float(x); operators would convert silently, so they are refused. */
function toPrimitive(this: Tensor, hint: string): string | number {
  if (hint === "string") return seen(this, "print", text(this));
  if (hint === "default") throw new TypeError("JavaScript has no operators on tensors: write x.add(y), x.mul(y), x.eq(y); for the number, x.item()");
  if (requiresGrad(this)) {
    warn("Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using tensor.detach() first.");
  }
  if (this._numel !== 1) throw new ValueError("only one element tensors can be converted to Python scalars");
  return seen(this, "Number", Number(onlyElement(this)));
}

export function installReading(): void {
  const entries: [string | symbol, unknown][] = [...Object.entries(methods), [Symbol.toPrimitive, toPrimitive]];
  entries.push([Symbol.for("nodejs.util.inspect.custom"), function (this: Tensor) { return seen(this, "print", text(this)); }]);
  for (const [name, value] of entries) Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
}
