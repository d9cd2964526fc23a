/** An operand of a kernel that runs rows of elements: a cursor that finds its way by the block of parameters. */
import type { DType } from "../../tensor/dtype.ts";
import type { Assembler } from "./assembler.ts";
import { Cursor } from "./cursor.ts";
import { readOperand, type Advance } from "./parameters.ts";
import type { Lanes } from "./vector.ts";

export class Operand extends Cursor {
  private readonly parameters: number;
  private readonly place: number;
  /** The local with the address of the row. */
  private readonly row: number;

  /** `place` is the operand's in the block of parameters, whose address is in the local `parameters`. */
  constructor(a: Assembler, parameters: number, place: number, dtype: DType, lanes: Lanes, advance: Advance) {
    super(a, dtype, lanes, advance);
    this.parameters = parameters;
    this.place = place;
    this.row = a.local("i32");
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
      if (this.advance === "strided") a.get(this.step);
      else a.i32(this.dtype.itemsize);
      a.op("i32.mul").op("i32.add");
    }
    a.set(this.pointer);
  }

  /** Goes to the start of the next row. */
  nextRow(): void {
    this.a.get(this.row);
    this.read("outerStep");
    this.a.op("i32.add").tee(this.row).set(this.pointer);
  }

  private read(field: "address" | "step" | "outerStep"): void {
    readOperand(this.a, this.parameters, this.place, field);
  }
}
