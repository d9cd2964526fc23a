/** An operand of a kernel: where it is and how it advances. */
import type { DType } from "../../tensor/dtype.ts";
import type { Assembler } from "./assembler.ts";
import { loadOne, loadSplat, loadVector, storeOne, storeVector } from "./elements.ts";
import { readOperand } from "./parameters.ts";
import type { Lanes } from "./vector.ts";

/** By its size, not at all, or by any other step. */
export type Advance = "contiguous" | "splat" | "strided";

export class Operand {
  private readonly a: Assembler;
  private readonly dtype: DType;
  private readonly lanes: Lanes;
  readonly advance: Advance;
  /** The local with the address of the next element. */
  readonly pointer: number;
  private readonly step: number;

  /** `k` is its place in the block of parameters, whose address is in the local `parameters`. */
  constructor(a: Assembler, parameters: number, k: number, dtype: DType, lanes: Lanes, advance: Advance) {
    this.a = a;
    this.dtype = dtype;
    this.lanes = lanes;
    this.advance = advance;
    this.pointer = a.local("i32");
    this.step = advance === "strided" ? a.local("i32") : -1;
    readOperand(a, parameters, k, "address");
    a.set(this.pointer);
    if (advance !== "strided") return;
    readOperand(a, parameters, k, "step");
    a.set(this.step);
  }

  /** Goes on by some elements. */
  skip(elements: number): void {
    const { a } = this;
    if (this.advance === "splat") return;
    a.get(this.pointer);
    if (this.advance === "contiguous") a.i32(this.dtype.itemsize * elements);
    else if (elements === 1) a.get(this.step);
    else a.get(this.step).i32(elements).op("i32.mul");
    a.op("i32.add").set(this.pointer);
  }

  /** Loads the next element into every place of a local. */
  loadOne(into: number): void {
    this.a.get(this.pointer);
    loadSplat(this.a, this.dtype);
    this.a.set(into);
  }

  /** Loads the next elements into a local, and goes on; contiguous ones lie `ahead` vectors further and the pointer stays. */
  loadMany(into: number, ahead = 0): void {
    const { a, dtype, lanes } = this;
    if (this.advance !== "strided") {
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
  storeMany(from: number, ahead = 0): void {
    const { a, dtype, lanes } = this;
    if (this.advance !== "strided") {
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
