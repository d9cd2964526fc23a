/** Loads and stores the elements of a row at an address that moves on. */
import type { DType } from "../../tensor/dtype.ts";
import type { Assembler } from "./assembler.ts";
import { loadOne, loadSplat, loadVector, storeOne, storeVector } from "./elements.ts";
import type { Advance } from "./parameters.ts";
import type { Lanes } from "./vector.ts";

export class Cursor {
  private readonly a: Assembler;
  private readonly dtype: DType;
  private readonly lanes: Lanes;
  readonly advance: Advance;
  /** The local with the address of the next element. */
  readonly pointer: number;
  /** The local with the step, where it is not the size of an element. */
  readonly step: number;

  constructor(a: Assembler, dtype: DType, lanes: Lanes, advance: Advance) {
    this.a = a;
    this.dtype = dtype;
    this.lanes = lanes;
    this.advance = advance;
    this.pointer = a.local("i32");
    this.step = advance === "strided" ? a.local("i32") : -1;
  }

  /** Goes on by some elements. */
  skip(elements: number): void {
    const { a } = this;
    if (this.advance === "splat") return;
    a.get(this.pointer);
    if (this.advance === "contiguous") a.i32(this.dtype.itemsize * elements);
    else a.get(this.step).i32(elements).op("i32.mul");
    a.op("i32.add").set(this.pointer);
  }

  /** Loads the next element into every place of a local. */
  loadOne(into: number): void {
    this.a.get(this.pointer);
    loadSplat(this.a, this.dtype);
    this.a.set(into);
  }

  /** Loads the next elements into a local; contiguous ones lie `ahead` vectors further, strided ones are left behind. */
  loadMany(into: number, ahead: number): void {
    const { a, dtype, lanes } = this;
    if (this.advance === "contiguous") {
      a.get(this.pointer);
      loadVector(a, dtype, lanes, ahead * lanes * dtype.itemsize);
      a.set(into);
      return;
    }
    this.loadOne(into);
    this.skip(1);
    for (let place = 1; place < lanes; place++) {
      a.get(this.pointer).get(into);
      loadOne(a, dtype, place);
      a.set(into);
      this.skip(1);
    }
  }

  /** Stores the first element of a packed vector. */
  storeOne(from: number): void {
    this.a.get(this.pointer).get(from);
    storeOne(this.a, this.dtype, 0);
  }

  /** Stores all elements of a packed vector, as `loadMany` loads them. */
  storeMany(from: number, ahead: number): void {
    const { a, dtype, lanes } = this;
    if (this.advance === "contiguous") {
      a.get(this.pointer).get(from);
      storeVector(a, dtype, lanes, ahead * lanes * dtype.itemsize);
      return;
    }
    for (let place = 0; place < lanes; place++) {
      a.get(this.pointer).get(from);
      storeOne(a, dtype, place);
      this.skip(1);
    }
  }
}
