/** Functions that vectors lack, computed lane by lane: in JavaScript, or by scalar instructions. */
import type { Assembler, ValueType } from "./assembler.ts";
import type { LaneType } from "./vector.ts";

/** A JavaScript function that a module imports. */
export interface Imported {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly run: unknown;
}

type ScalarType = Exclude<LaneType, "i8">;

export interface ScalarFunction {
  readonly name: string;
  readonly parameters: readonly ScalarType[];
  readonly result: ScalarType;
  /** May it throw? Then it is computed for real elements only. */
  readonly throws?: boolean;
  /** Leaves the result on the stack; the arguments are in locals. */
  write(a: Assembler, inputs: readonly number[], call: (imported: Imported) => void): void;
}

/** A function of floats in JavaScript, computed in double precision. */
export function mathFunction(name: string, run: (...x: number[]) => number, arity: number, type: "f32" | "f64"): ScalarFunction {
  const doubles = new Array<"f64">(arity).fill("f64");
  const imported: Imported = { name, parameters: doubles, results: ["f64"], run };
  return {
    name: `${name} ${type}`,
    parameters: new Array<ScalarType>(arity).fill(type),
    result: type,
    write: (a, inputs, call) => {
      for (const input of inputs) {
        a.get(input);
        if (type === "f32") a.op("f64.promote_f32");
      }
      call(imported);
      if (type === "f32") a.op("f32.demote_f64");
    },
  };
}
