/** Integer operations that vectors lack: division, shifts by varying counts, powers. */
import { int64, type DType } from "../../tensor/dtype.ts";
import type { BinaryName } from "../../ir/expr.ts";
import { divisor, integerPow } from "../reference/math.ts";
import type { Assembler } from "./assembler.ts";
import { Unsupported } from "./elements.ts";
import type { Imported, ScalarFunction } from "./scalar-function.ts";
import type { Vector } from "./vector.ts";

/** `x name y` for integers; results are wrapped to the dtype by the caller. */
export function integerBinary(name: BinaryName, x: Vector, y: Vector, dtype: DType): Vector {
  switch (name) {
    case "trunc_divide":
    case "floor_divide":
    case "fmod":
    case "remainder":
      return dtype === int64 ? x.eachLane(divisions[name], y) : divide(name, x, y);
    case "bitwise_left_shift":
    case "bitwise_right_shift":
      return x.eachLane(shift(name, dtype), y);
    case "pow":
      return x.eachLane(dtype === int64 ? pow64 : pow32, y);
    default:
      throw new Unsupported(`${name} of ${dtype.name}`);
  }
}

type Division = "trunc_divide" | "floor_divide" | "fmod" | "remainder";

const refuse: Imported = { name: "refuse zero", parameters: [], results: [], run: () => void divisor(0) };
const refuseZero: ScalarFunction = {
  name: "refuse zero", parameters: ["i32"], result: "i32", throws: true,
  write: (a, [x], call) => {
    call(refuse);
    a.get(x);
  },
};

/** Integers of up to 32 bits: the quotient of doubles is exact enough to be rounded to the right whole number. */
function divide(name: Division, x: Vector, y: Vector): Vector {
  const rounding = name === "trunc_divide" || name === "fmod" ? "trunc" : "floor";
  const low = quotient(x, y, rounding);
  const words = x.graph.lanes === 2 ? low.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11], "i32")
    : low.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27], "i32", quotient(high(x), high(y), rounding));
  const whole = words.patch(y.eq(0), refuseZero, words);
  return name === rounding + "_divide" ? whole : x.sub(whole.mul(y));
}

const high = (x: Vector): Vector => x.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);

/** The quotients of the low two lanes, modulo 2³², in the low words of 64-bit lanes. */
function quotient(x: Vector, y: Vector, rounding: "trunc" | "floor"): Vector {
  const exact = x.op("f64x2.convert_low_i32x4_s", "f64").div(y.op("f64x2.convert_low_i32x4_s", "f64"));
  // The sum's last place is 1, so that the whole number stands in its low bits.
  return exact[rounding]().add(1.5 * 2 ** 52);
}

function division64(name: Division): ScalarFunction {
  return {
    name: `i64 ${name}`, parameters: ["i64", "i64"], result: "i64", throws: true,
    write: (a, [x, y], call) => {
      const isMinusOne = a.local("i32");
      const quotient = a.local("i64");
      a.get(y).op("i64.eqz").when(() => call(refuse));
      // The least integer by -1 would trap: x / -1 is -x, modulo 2⁶⁴.
      a.get(y).i64(-1n).op("i64.eq").set(isMinusOne);
      a.i64(0n).get(x).op("i64.sub").get(x).i64(1n).get(y).get(isMinusOne).op("select").op("i64.div_s").get(isMinusOne).op("select").set(quotient);
      if (name === "floor_divide" || name === "remainder") roundDown(a, x, y, quotient);
      if (name === "fmod" || name === "remainder") a.get(x).get(quotient).get(y).op("i64.mul").op("i64.sub");
      else a.get(quotient);
    },
  };
}

/** One less where the division is inexact and the signs differ. */
function roundDown(a: Assembler, x: number, y: number, quotient: number): void {
  a.get(quotient);
  a.get(x).get(quotient).get(y).op("i64.mul").op("i64.eq").op("i32.eqz");
  a.get(x).get(y).op("i64.xor").i64(0n).op("i64.lt_s").op("i32.and").op("i64.extend_i32_u").op("i64.sub").set(quotient);
}

const divisions: Record<Division, ScalarFunction> = {
  trunc_divide: division64("trunc_divide"), floor_divide: division64("floor_divide"), fmod: division64("fmod"), remainder: division64("remainder"),
};

/** A shift by a negative count, or by all bits, shifts every bit out. */
function shift(name: "bitwise_left_shift" | "bitwise_right_shift", dtype: DType): ScalarFunction {
  const type = dtype === int64 ? "i64" : "i32";
  const bits = dtype.itemsize * 8;
  const left = name === "bitwise_left_shift";
  const number = (a: Assembler, value: number): Assembler => (type === "i64" ? a.i64(BigInt(value)) : a.i32(value));
  // Right shifts keep the sign, so that shifting by all bits is shifting by all but one; uint8 has no sign.
  const most = left || !dtype.is_signed ? bits : bits - 1;
  return {
    name: `${name} ${dtype.name}`, parameters: [type, type], result: type,
    write: (a, [x, by]) => {
      const inRange = (): Assembler => number(a.get(by), most).op(`${type}.lt_u`);
      if (left) {
        number(a.get(x).get(by).op(`${type}.shl`), 0);
        inRange().op("select");
        return;
      }
      a.get(x).get(by);
      number(a, most);
      inRange().op("select").op(`${type}.shr_s`);
    },
  };
}

const pow32: ScalarFunction = {
  name: "i32 pow", parameters: ["i32", "i32"], result: "i32",
  write: (a, inputs, call) => {
    inputs.forEach((x) => a.get(x));
    call({ name: "i32 pow", parameters: ["i32", "i32"], results: ["i32"], run: smallPow });
  },
};
const pow64: ScalarFunction = {
  name: "i64 pow", parameters: ["i64", "i64"], result: "i64",
  write: (a, inputs, call) => {
    inputs.forEach((x) => a.get(x));
    call({ name: "i64 pow", parameters: ["i64", "i64"], results: ["i64"], run: integerPow });
  },
};

/** Integer power modulo 2³²; negative powers are 0 but for bases 1 and -1. */
function smallPow(x: number, y: number): number {
  if (y < 0) return x === 1 ? 1 : x === -1 ? 1 - 2 * (y & 1) : 0;
  let result = 1;
  for (let base = x, rest = y; rest > 0; rest >>= 1) {
    if (rest & 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}
