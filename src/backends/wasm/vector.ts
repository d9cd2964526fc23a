/** Vector programs: graphs of SIMD instructions in which equal ones are one. Formulas are written on `Vector`. */
import { opcodes, type Opcode } from "./assembler.ts";
import { features } from "./engine.ts";
import type { ScalarFunction } from "./scalar-function.ts";

/** What a vector holds: sixteen lanes of 8 bits, which are masks, four of 32 or two of 64. */
export type LaneType = "f32" | "f64" | "i8" | "i32" | "i64";
/** Elements that a kernel computes at once: two where a 64-bit dtype takes part, sixteen where all are bools, else four. */
export type Lanes = 2 | 4 | 16;

export type Instruction =
  /** An element of an operand, or the number given at a call. */
  | { readonly tag: "input" | "scalar"; readonly index: number }
  | { readonly tag: "constant"; readonly value: number }
  /** One instruction; `by` is what a shift shifts by. */
  | { readonly tag: "op"; readonly name: Opcode; readonly by?: number }
  | { readonly tag: "shuffle"; readonly bytes: readonly number[] }
  /** The same bits, seen as other lanes. */
  | { readonly tag: "bits" }
  /** Each lane by itself. */
  | { readonly tag: "lanes"; readonly scalar: ScalarFunction }
  /** The first input, but where the second (a mask) holds the lane is computed by itself from the others. */
  | { readonly tag: "patch"; readonly scalar: ScalarFunction }
  /** The first input, but where the second (a mask) holds the third, which is computed only if it holds in some lane. */
  | { readonly tag: "rare" };

export const shapes = { f32: "f32x4", f64: "f64x2", i8: "i8x16", i32: "i32x4", i64: "i64x2" } as const;

/** The integer lanes that are as wide. */
export function maskType(type: LaneType): "i8" | "i32" | "i64" {
  if (type === "i8") return "i8";
  return type === "f32" || type === "i32" ? "i32" : "i64";
}

/** The instructions of one kernel. */
export class Graph {
  readonly lanes: Lanes;
  /** May a product and a sum be rounded once? (Only approximations ask for it, never the arithmetic of users.) */
  readonly fused: boolean;
  private readonly known = new Map<string, Vector>();

  constructor(lanes: Lanes, fused: boolean = features.relaxed) {
    this.lanes = lanes;
    this.fused = fused;
  }

  node(type: LaneType, code: Instruction, inputs: readonly Vector[] = []): Vector {
    const key = `${type} ${keyOf(code)} ${inputs.map((v) => v.id).join(" ")}`;
    let node = this.known.get(key);
    if (node === undefined) this.known.set(key, (node = new Vector(this, this.known.size, type, code, inputs)));
    return node;
  }

  constant(value: number, type: LaneType): Vector {
    return this.node(type, { tag: "constant", value: type === "f32" ? Math.fround(value) : value });
  }
}

function keyOf(code: Instruction): string {
  switch (code.tag) {
    case "input":
    case "scalar":
      return code.tag + code.index;
    case "constant":
      return Object.is(code.value, -0) ? "-0" : String(code.value);
    case "op":
      return code.by === undefined ? code.name : `${code.name}${code.by}`;
    case "shuffle":
      return code.bytes.join();
    case "bits":
    case "rare":
      return code.tag;
    default:
      return code.tag + code.scalar.name;
  }
}

type Operand = Vector | number;

/** The value of one instruction. Its methods make the instructions that use it; a number is a constant in every lane. */
export class Vector {
  readonly graph: Graph;
  readonly id: number;
  readonly type: LaneType;
  readonly code: Instruction;
  readonly inputs: readonly Vector[];

  constructor(graph: Graph, id: number, type: LaneType, code: Instruction, inputs: readonly Vector[]) {
    this.graph = graph;
    this.id = id;
    this.type = type;
    this.code = code;
    this.inputs = inputs;
  }

  /** All that it is computed from and itself, the operands first. */
  nodes(): Set<Vector> {
    return this.reach((v) => v.inputs);
  }
  /** Those of them that are computed always. */
  usualNodes(): Set<Vector> {
    return this.reach(({ code, inputs }) => (code.tag === "rare" ? inputs.slice(0, 2) : inputs));
  }
  private reach(inputsOf: (v: Vector) => readonly Vector[]): Set<Vector> {
    const nodes = new Set<Vector>();
    const visit = (v: Vector): void => {
      if (nodes.has(v)) return;
      inputsOf(v).forEach(visit);
      nodes.add(v);
    };
    visit(this);
    return nodes;
  }
  /** The same computation from other inputs. */
  withInputs(others: ReadonlyMap<Vector, Vector>): Vector {
    const made = new Map(others);
    for (const v of this.nodes()) {
      if (!made.has(v)) made.set(v, v.inputs.length === 0 ? v : this.graph.node(v.type, v.code, v.inputs.map((input) => made.get(input)!)));
    }
    return made.get(this)!;
  }
  /** A constant of the same lanes. */
  constant(value: number): Vector {
    return this.graph.constant(value, this.type);
  }
  private lift(operand: Operand): Vector {
    return typeof operand === "number" ? this.constant(operand) : operand;
  }
  /** An instruction by its name in the specification, without the shape. */
  private make(name: string, ...others: Operand[]): Vector {
    return this.op(`${shapes[this.type]}.${name}`, this.type, ...others);
  }
  /** An instruction by its full name. */
  op(name: string, type: LaneType, ...others: Operand[]): Vector {
    if (!(name in opcodes)) throw new Error(`no instruction ${name}`);
    return this.graph.node(type, { tag: "op", name: name as Opcode }, [this, ...others.map((o) => this.lift(o))]);
  }
  private compare(name: string, other: Operand): Vector {
    const signed = this.isInteger && name !== "eq" && name !== "ne" ? "_s" : "";
    return this.op(`${shapes[this.type]}.${name}${signed}`, maskType(this.type), other);
  }
  private shift(name: string, by: number): Vector {
    return this.graph.node(this.type, { tag: "op", name: `${shapes[this.type]}.${name}` as Opcode, by }, [this]);
  }
  get isInteger(): boolean {
    return this.type === "i8" || this.type === "i32" || this.type === "i64";
  }

  add(other: Operand): Vector { return this.make("add", other); }
  sub(other: Operand): Vector { return this.make("sub", other); }
  mul(other: Operand): Vector { return this.make("mul", other); }
  div(other: Operand): Vector { return this.make("div", other); }
  /** this · factor + term, rounded once or twice as the engine has it. */
  madd(factor: Operand, term: Operand): Vector {
    return this.graph.fused ? this.make("relaxed_madd", factor, term) : this.mul(factor).add(term);
  }
  /** term - this · factor, rounded once or twice as the engine has it. */
  nmadd(factor: Operand, term: Operand): Vector {
    return this.graph.fused ? this.make("relaxed_nmadd", factor, term) : this.lift(term).sub(this.mul(factor));
  }
  neg(): Vector { return this.make("neg"); }
  abs(): Vector { return this.make("abs"); }
  sqrt(): Vector { return this.make("sqrt"); }
  floor(): Vector { return this.make("floor"); }
  ceil(): Vector { return this.make("ceil"); }
  trunc(): Vector { return this.make("trunc"); }
  /** The nearest whole number, halves to even. */
  nearest(): Vector { return this.make("nearest"); }
  /** The larger one; NaN if either is. For integers of 64 bits too. */
  max(other: Operand): Vector {
    if (this.type === "i64") return this.gt(other).select(this, other);
    return this.make(this.isInteger ? "max_s" : "max", other);
  }
  min(other: Operand): Vector {
    if (this.type === "i64") return this.lt(other).select(this, other);
    return this.make(this.isInteger ? "min_s" : "min", other);
  }
  /** This, but the limit where the limit is less. A NaN stays. */
  atMost(limit: Operand): Vector { return this.make("pmin", limit); }
  /** This, but the limit where the limit is greater. A NaN stays. */
  atLeast(limit: Operand): Vector { return this.make("pmax", limit); }

  // Comparisons give masks: integer lanes of the same width, all bits set or none.
  eq(other: Operand): Vector { return this.compare("eq", other); }
  ne(other: Operand): Vector { return this.compare("ne", other); }
  lt(other: Operand): Vector { return this.compare("lt", other); }
  le(other: Operand): Vector { return this.compare("le", other); }
  gt(other: Operand): Vector { return this.compare("gt", other); }
  ge(other: Operand): Vector { return this.compare("ge", other); }
  isNaN(): Vector { return this.ne(this); }
  /** `yes` in the lanes where this mask holds, else `no`. */
  select(yes: Vector, no: Operand): Vector;
  select(yes: Operand, no: Vector): Vector;
  select(yes: Operand, no: Operand): Vector {
    const like = typeof yes === "number" ? (no as Vector) : yes;
    const name = this.graph.fused ? `${shapes[this.type]}.relaxed_laneselect` : "v128.bitselect";
    return this.graph.node(like.type, { tag: "op", name: name as Opcode }, [like.lift(yes), like.lift(no), this]);
  }

  // Bits.
  /** The same bits as other lanes. */
  as(type: LaneType): Vector {
    if (type === this.type) return this;
    return this.graph.node(type, { tag: "bits" }, [this]);
  }
  and(other: Operand): Vector { return this.op("v128.and", this.type, other); }
  andNot(other: Operand): Vector { return this.op("v128.andnot", this.type, other); }
  or(other: Operand): Vector { return this.op("v128.or", this.type, other); }
  xor(other: Operand): Vector { return this.op("v128.xor", this.type, other); }
  not(): Vector { return this.op("v128.not", this.type); }
  shiftLeft(by: number): Vector { return this.shift("shl", by); }
  /** Keeps the sign. */
  shiftRight(by: number): Vector { return this.shift("shr_s", by); }
  shiftRightUnsigned(by: number): Vector { return this.shift("shr_u", by); }
  /** Bytes picked from this (0 to 15) and from `other` (16 to 31). */
  shuffle(bytes: readonly number[], type: LaneType = this.type, other: Vector = this): Vector {
    return this.graph.node(type, { tag: "shuffle", bytes }, [this, other]);
  }

  /** Each lane by itself: `scalar` of this and the others. */
  eachLane(scalar: ScalarFunction, ...others: Vector[]): Vector {
    return this.graph.node(scalar.result, { tag: "lanes", scalar }, [this, ...others]);
  }
  /** This, but where `mask` holds the lane is `scalar` of the arguments: for what is rare and needs no speed. */
  patch(mask: Vector, scalar: ScalarFunction, ...inputs: Vector[]): Vector {
    return this.graph.node(this.type, { tag: "patch", scalar }, [this, mask, ...inputs]);
  }
  /** This, but `other` where `mask` holds; `other` is skipped where it holds in no lane. */
  unless(mask: Vector, other: Vector): Vector {
    return this.graph.node(this.type, { tag: "rare" }, [this, mask, other]);
  }
}
