/** Loads and stores the elements of a row at an address that moves on. */
import type { DType } from "../../tensor/dtype.ts";
import type { Assembler } from "./assembler.ts";
import { loadOne, loadSplat, loadVector, storeOne, storeVector } from "./elements.ts";
import type { Advance } from "./parameters.ts";
import type { Lanes } from "./vector.ts";

export class Cursor {
  protected readonly a: Assembler;
  readonly dtype: DType;
  private readonly lanes: Lanes;
  readonly advance: Advance;
  /** The local with the address of the next element. */
  readonly pointer: number;
  /** The local with the step, where it is not the size of an element. */
  readonly step: number;

  constructor(a: Assembler, dtype: DType, lanes: Lanes, advance: Advance, pointer: number = a.local("i32")) {
    this.a = a;
    this.dtype = dtype;
    this.lanes = lanes;
    this.advance = advance;
    this.pointer = pointer;
    this.step = advance === "strided" ? a.local("i32") : -1;
  }

  /** Goes on by some elements. */
  skip(elements: number): void {
    if (this.advance === "splat") return;
    this.pushAddress(elements);
    this.a.set(this.pointer);
  }

  /** Loads the next element into every place of a local. */
  loadOne(into: number): void {
    this.a.get(this.pointer);
    loadSplat(this.a, this.dtype);
    this.a.set(into);
  }

  /** Loads the next elements into a local; contiguous ones lie `ahead` vectors further, strided ones are left behind. */
  loadMany(into: number, ahead = 0): void {
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
  storeMany(from: number, ahead = 0): void {
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

  /** Loads the last elements, whose number is in the local `count` and less than a vector's; the first stands in the other places. */
  loadRest(into: number, count: number): void {
    this.loadOne(into);
    this.eachLeft(1, count, (place) => {
      this.pushAddress(place);
      this.a.get(into);
      loadOne(this.a, this.dtype, place);
      this.a.set(into);
    });
  }

  /** Stores the last elements, as `loadRest` loads them. */
  storeRest(from: number, count: number): void {
    this.eachLeft(0, count, (place) => {
      this.pushAddress(place);
      this.a.get(from);
      storeOne(this.a, this.dtype, place);
    });
  }

  /** Leaves the address of an element further on on the stack. */
  pushAddress(elements = 0): void {
    const { a } = this;
    a.get(this.pointer);
    if (elements === 0 || this.advance === "splat") return;
    if (this.advance === "contiguous") a.i32(this.dtype.itemsize * elements);
    else if (elements === 1) a.get(this.step);
    else a.get(this.step).i32(elements).op("i32.mul");
    a.op("i32.add");
  }

  /** Writes `body` for each place from `place` on that is among the elements left; one always is. */
  private eachLeft(place: number, count: number, body: (place: number) => void): void {
    if (place > this.lanes - 2) return;
    const within = (): void => {
      body(place);
      this.eachLeft(place + 1, count, body);
    };
    if (place === 0) within();
    else this.a.get(count).i32(place).op("i32.gt_u").when(within);
  }
}
