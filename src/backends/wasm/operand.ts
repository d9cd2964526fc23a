/** An operand of a kernel: where it is and how it advances. */
import type { DType } from "../../tensor/dtype.ts";
import type { Assembler } from "./assembler.ts";
import { loadOne, loadSplat, loadVector, storeOne, storeVector } from "./elements.ts";
import { readOperand, type Advance } from "./parameters.ts";
import type { Lanes } from "./vector.ts";

export class Operand {
  private readonly a: Assembler;
  private readonly parameters: number;
  private readonly place: number;
  private readonly dtype: DType;
  private readonly lanes: Lanes;
  readonly advance: Advance;
  /** The locals with the addresses of the next element and of the row. */
  private readonly pointer: number;
  private readonly row: number;
  private readonly step: number;

  /** `place` is the operand's in the block of parameters, whose address is in the local `parameters`. */
  constructor(a: Assembler, parameters: number, place: number, dtype: DType, lanes: Lanes, advance: Advance) {
    this.a = a;
    this.parameters = parameters;
    this.place = place;
    this.dtype = dtype;
    this.lanes = lanes;
    this.advance = advance;
    this.pointer = a.local("i32");
    this.row = a.local("i32");
    this.step = advance === "strided" ? a.local("i32") : -1;
  }

  /** Goes to an element of a row, whose numbers are in locals. */
  start(row: number, column: number): void {
    const { a } = this;
    this.read("address");
    a.get(row);
    this.read("outerStep");
    a.op("i32.mul").op("i32.add").set(this.row);
    if (this.advance === "strided") {
      this.read("step");
      a.set(this.step);
    }
    a.get(this.row);
    if (this.advance !== "splat") {
      a.get(column);
      this.times();
      a.op("i32.add");
    }
    a.set(this.pointer);
  }

  /** Goes to the start of the next row. */
  nextRow(): void {
    this.a.get(this.row);
    this.read("outerStep");
    this.a.op("i32.add").tee(this.row).set(this.pointer);
  }

  /** Goes on by some elements. */
  skip(elements: number): void {
    if (this.advance === "splat") return;
    this.a.get(this.pointer);
    this.ahead(elements);
    this.a.set(this.pointer);
  }

  get itemsize(): number {
    return this.dtype.itemsize;
  }

  /** Loads the next element into every place of a local. */
  loadSplat(into: number): void {
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
    this.loadSplat(into);
    this.skip(1);
    for (let place = 1; place < lanes; place++) {
      a.get(this.pointer).get(into);
      loadOne(a, dtype, place);
      a.set(into);
      this.skip(1);
    }
  }

  /** Loads the last elements, whose number is in the local `count` and less than a vector's; the first stands in the other places. */
  loadRest(into: number, count: number): void {
    this.loadSplat(into);
    this.eachLeft(1, count, (place) => {
      this.addressAt(place);
      this.a.get(into);
      loadOne(this.a, this.dtype, place);
      this.a.set(into);
    });
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

  /** Stores the last elements, as `loadRest` loads them. */
  storeRest(from: number, count: number): void {
    this.eachLeft(0, count, (place) => {
      this.addressAt(place);
      this.a.get(from);
      storeOne(this.a, this.dtype, place);
    });
  }

  /** Leaves the address of the next element on the stack. */
  pushPointer(): void {
    this.a.get(this.pointer);
  }

  private read(field: "address" | "step" | "outerStep"): void {
    readOperand(this.a, this.parameters, this.place, field);
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

  /** Multiplies the number on the stack by the step. */
  private times(): void {
    if (this.advance === "strided") this.a.get(this.step).op("i32.mul");
    else this.a.i32(this.dtype.itemsize).op("i32.mul");
  }

  /** Adds some steps to the address on the stack. */
  private ahead(elements: number): void {
    const { a } = this;
    if (elements === 0) return;
    if (this.advance === "contiguous") a.i32(this.dtype.itemsize * elements);
    else if (elements === 1) a.get(this.step);
    else a.get(this.step).i32(elements).op("i32.mul");
    a.op("i32.add");
  }

  private addressAt(place: number): void {
    this.a.get(this.pointer);
    this.ahead(place);
  }
}
