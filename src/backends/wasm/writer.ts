/** Writes vector programs as code: what does not change in the loop before it, and each value that is used twice once. */
import type { Assembler, LaneOpcode } from "./assembler.ts";
import type { Imported, ScalarFunction } from "./scalar-function.ts";
import { shapes, type LaneType, type Vector } from "./vector.ts";

/** A vector with a number in every lane, as it lies in memory. */
function bytesOf(value: number, type: LaneType): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  const width = type === "i8" ? 1 : type === "f32" || type === "i32" ? 4 : 8;
  for (let at = 0; at < 16; at += width) {
    if (type === "i8") view.setInt8(at, value);
    else if (type === "f32") view.setFloat32(at, value, true);
    else if (type === "f64") view.setFloat64(at, value, true);
    else if (type === "i32") view.setInt32(at, value, true);
    else view.setBigInt64(at, BigInt(value), true);
  }
  return new Uint8Array(view.buffer);
}

/** The constants and functions that the code of a module refers to. */
export class Pool {
  readonly constants: Uint8Array[] = [];
  readonly imports: Imported[] = [];
  private readonly constantOf = new Map<string, number>();

  constant(value: number, type: LaneType): number {
    const key = `${type}${Object.is(value, -0) ? "-0" : value}`;
    let index = this.constantOf.get(key);
    if (index === undefined) this.constantOf.set(key, (index = this.constants.push(bytesOf(value, type)) - 1));
    return index;
  }
  import(imported: Imported): number {
    const index = this.imports.findIndex((f) => f.name === imported.name);
    return index >= 0 ? index : this.imports.push(imported) - 1;
  }
  /** What the module is instantiated with. */
  get functions(): Record<string, unknown> {
    return Object.fromEntries(this.imports.map((f) => [f.name, f.run]));
  }
}

/** Writes the values of one graph in one function. */
export class Writer {
  private readonly a: Assembler;
  private readonly pool: Pool;
  private readonly uses = new Map<Vector, number>();
  private readonly locals = new Map<Vector, number>();
  /** The values that their locals hold at this place. */
  private readonly ready = new Set<Vector>();
  private readonly roots: readonly Vector[];

  constructor(a: Assembler, pool: Pool, roots: readonly Vector[]) {
    this.a = a;
    this.pool = pool;
    this.roots = roots;
    for (const root of roots) this.count(root);
  }

  private count(v: Vector): void {
    const uses = this.uses.get(v) ?? 0;
    this.uses.set(v, uses + 1);
    if (uses === 0) v.inputs.forEach((input) => this.count(input));
  }

  /** The local of a value. */
  local(v: Vector): number {
    let local = this.locals.get(v);
    if (local === undefined) this.locals.set(v, (local = this.a.local("v128")));
    return local;
  }
  /** Says that the value's local holds it now. */
  define(v: Vector): void {
    this.ready.add(v);
  }

  /** Computes all that does not depend on `varying` inputs. */
  writeInvariants(varying: (input: Vector) => boolean): void {
    const verdicts = new Map<Vector, boolean>();
    const varies = (v: Vector): boolean => {
      let verdict = verdicts.get(v);
      if (verdict === undefined) {
        const { code } = v;
        const throws = (code.tag === "lanes" || code.tag === "patch") && code.scalar.throws === true;
        verdict = throws || (code.tag === "input" ? varying(v) : v.inputs.map(varies).includes(true));
        verdicts.set(v, verdict);
      }
      return verdict;
    };
    for (const root of this.roots) if (!varies(root)) this.keep(root);
    for (const v of [...this.uses.keys()]) {
      if (!varies(v)) continue;
      for (const input of v.inputs) if (!varies(input)) this.keep(input);
    }
  }

  /** Brings a value into its local. */
  keep(v: Vector): number {
    const local = this.local(v);
    if (this.ready.has(v)) return local;
    this.write(v);
    this.a.set(local);
    this.ready.add(v);
    return local;
  }

  /** Brings lists of values of the same form into their locals, step by step for all lists. */
  keepAll(lists: readonly (readonly Vector[])[]): void {
    const steps = lists.map((values) => [...new Set(values.flatMap((v) => [...v.usualNodes()]))].filter((node) => !this.ready.has(node)));
    steps[0].forEach(({ code }, i) => {
      const step = steps.map((list) => list[i]);
      if (code.tag === "rare") this.keepRare(step);
      else step.forEach((node) => this.keep(node));
    });
  }

  /** Writes what is run again, or not always: it forgets afterwards what was computed within. */
  round(body: () => void): void {
    const before = this.ready.size;
    body();
    // A set keeps the order in which values came.
    for (const v of [...this.ready].slice(before)) this.ready.delete(v);
  }

  /** Leaves a value on the stack. */
  push(v: Vector): void {
    if (this.ready.has(v)) this.a.get(this.local(v));
    else if (this.uses.get(v)! > 1) {
      this.write(v);
      this.a.tee(this.local(v));
      this.ready.add(v);
    } else this.write(v);
  }

  private write(v: Vector): void {
    const { a } = this;
    const { code } = v;
    switch (code.tag) {
      case "constant":
        a.global(this.pool.constant(code.value, v.type));
        return;
      case "op":
        v.inputs.forEach((input) => this.push(input));
        if (code.by !== undefined) a.i32(code.by);
        a.op(code.name);
        return;
      case "bits":
        return this.push(v.inputs[0]);
      case "shuffle":
        v.inputs.forEach((input) => this.push(input));
        a.shuffle(code.bytes);
        return;
      case "lanes":
        return this.writeLanes(v, code.scalar, v.inputs);
      case "rare":
        this.keepRare([v]);
        a.get(this.local(v));
        return;
      case "patch":
        return this.writePatch(v, code.scalar, v.inputs);
      default:
        throw new Error(`${code.tag} ${code.index} was not defined`);
    }
  }

  private count32(type: LaneType): number {
    return type === "f64" || type === "i64" ? 2 : this.roots[0].graph.lanes;
  }

  private writeLanes(v: Vector, scalar: ScalarFunction, inputs: readonly Vector[]): void {
    const { a } = this;
    const arguments_ = inputs.map((input) => this.keep(input));
    const result = a.local("v128");
    for (let lane = 0; lane < this.count32(v.type); lane++) this.writeLane(scalar, arguments_, result, lane);
    a.get(result);
  }

  private writePatch(v: Vector, scalar: ScalarFunction, [fast, mask, ...inputs]: readonly Vector[]): void {
    const { a } = this;
    const arguments_ = inputs.map((input) => this.keep(input));
    const where = this.keep(mask);
    const result = a.local("v128");
    this.push(fast);
    a.set(result).get(where).op("v128.any_true").when(() => {
      for (let lane = 0; lane < this.count32(v.type); lane++) {
        // The low word of a mask's lane tells as much as all of it.
        a.get(where).lane("i32x4.extract_lane", v.type === "f64" || v.type === "i64" ? 2 * lane : lane).when(() => this.writeLane(scalar, arguments_, result, lane));
      }
    });
    a.get(result);
  }

  /** Brings values of which something is rare into their locals; what is rare is looked for in all of them at once. */
  private keepRare(values: readonly Vector[]): void {
    const { a } = this;
    for (const v of values) {
      const [usual, mask] = v.inputs;
      this.keep(mask);
      a.get(this.keep(usual)).set(this.local(v));
    }
    values.forEach(({ inputs: [, mask] }, i) => {
      a.get(this.local(mask));
      if (i > 0) a.op("v128.or");
    });
    a.op("v128.any_true").when(() => {
      for (const v of values) {
        const [, mask, other] = v.inputs;
        this.round(() => {
          this.push(other);
          a.get(this.local(v)).get(this.local(mask)).op("v128.bitselect").set(this.local(v));
        });
      }
    });
    for (const v of values) this.ready.add(v);
  }

  /** Puts `scalar` of one lane of the arguments into that lane of the result. */
  private writeLane(scalar: ScalarFunction, inputs: readonly number[], result: number, lane: number): void {
    const { a } = this;
    const parts = scalar.parameters.map((type, i) => {
      const part = a.local(type);
      a.get(inputs[i]).lane(`${shapes[type]}.extract_lane` as LaneOpcode, lane).set(part);
      return part;
    });
    a.get(result);
    scalar.write(a, parts, (imported) => a.call(this.pool.import(imported)));
    a.lane(`${shapes[scalar.result]}.replace_lane` as LaneOpcode, lane).set(result);
  }
}
