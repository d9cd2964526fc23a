/** Elements in the heap, and distances between them, for tests of kernels. */
import { heap, Storage } from "../../src/tensor/heap.ts";
import { bool, float32, float64, int16, int32, int64, int8, type DType } from "../../src/tensor/dtype.ts";

export type Value = number | bigint;

/** A storage of so many elements, with its typed view; the view holds until the next allocation. */
export class Elements {
  readonly dtype: DType;
  readonly storage: Storage;
  private readonly count: number;

  constructor(dtype: DType, count: number) {
    this.dtype = dtype;
    this.count = count;
    this.storage = new Storage(Math.max(count, 1) * dtype.itemsize);
  }
  static of(dtype: DType, values: readonly Value[]): Elements {
    const elements = new Elements(dtype, values.length);
    elements.write(values);
    return elements;
  }
  get address(): number {
    return this.storage.address;
  }
  private view(): { [index: number]: Value } {
    const { address, dtype, count } = this;
    const { buffer } = heap.memory;
    switch (dtype) {
      case float32: return new Float32Array(buffer, address, count);
      case float64: return new Float64Array(buffer, address, count);
      case int64: return new BigInt64Array(buffer, address, count);
      case int32: return new Int32Array(buffer, address, count);
      case int16: return new Int16Array(buffer, address, count);
      case int8: return new Int8Array(buffer, address, count);
      default: return new Uint8Array(buffer, address, count);
    }
  }
  /** Bools are 0 and 1. */
  write(values: readonly Value[]): void {
    const view = this.view();
    values.forEach((v, i) => (view[i] = this.dtype === bool ? Number(v) : v));
  }
  read(): Value[] {
    const view = this.view();
    return Array.from({ length: this.count }, (_, i) => view[i]);
  }
}

const scratch = new DataView(new ArrayBuffer(8));

/** The place of a float among the floats of its format; the two zeros share one. */
function rank(x: number, single: boolean): bigint {
  if (single) scratch.setFloat32(0, x);
  else scratch.setFloat64(0, x);
  const bits = single ? BigInt(scratch.getInt32(0)) : scratch.getBigInt64(0);
  const magnitude = single ? bits & 0x7fffffffn : bits & 0x7fffffffffffffffn;
  return bits < 0n ? -magnitude : magnitude;
}

/** How many floats of the format apart; infinite where only one is NaN, or where two zeros differ in sign. */
export function ulps(x: number, y: number, dtype: DType): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y) ? 0 : Infinity;
  if (x === 0 && y === 0) return Object.is(x, y) ? 0 : Infinity;
  const distance = rank(x, dtype === float32) - rank(y, dtype === float32);
  return Number(distance < 0n ? -distance : distance);
}
