/** A small WebAssembly assembler: modules of one memory, imported, and functions over numbers and vectors. */

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";
const typeCodes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const byte = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? byte : byte | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
function signed32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -64 || rest > 63; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest & 0x7f);
  return bytes;
}

/** Signed LEB128 of a 64-bit integer. */
function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = (rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0);
    bytes.push(done ? byte : byte | 0x80);
    if (done) return bytes;
  }
}

/** Spreading would cost more than all else: bodies have thousands of bytes. */
function append(bytes: number[], more: readonly number[]): number[] {
  for (let i = 0; i < more.length; i++) bytes.push(more[i]);
  return bytes;
}

const scratch = new DataView(new ArrayBuffer(8));

/** Opcodes by their names in the specification; numbers above 0xff carry their prefix byte. */
export const opcodes = {
  "i32.load8_u": 0x2d, "i32.load8_s": 0x2c, "i32.load16_s": 0x2e, "i32.load": 0x28, "i64.load": 0x29, "i64.load8_s": 0x30, "i64.load8_u": 0x31, "i64.load16_s": 0x32, "i64.load32_s": 0x34, "f32.load": 0x2a, "f64.load": 0x2b,
  "i32.store8": 0x3a, "i32.store16": 0x3b, "i32.store": 0x36, "i64.store": 0x37, "f32.store": 0x38, "f64.store": 0x39,
  "i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.gt_s": 0x4a, "i32.gt_u": 0x4b, "i32.le_s": 0x4c, "i32.le_u": 0x4d,
  "i32.ge_s": 0x4e, "i32.ge_u": 0x4f, "i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c, "i32.and": 0x71, "i32.or": 0x72, "i32.xor": 0x73, "i32.shl": 0x74,
  "i32.shr_s": 0x75, "i32.shr_u": 0x76, "i64.add": 0x7c, "i64.sub": 0x7d, "i64.mul": 0x7e, "i64.div_s": 0x7f, "i64.rem_s": 0x81, "f32.sqrt": 0x91, "f64.lt": 0x63, "f64.ne": 0x62, "f64.le": 0x65, "f64.ge": 0x66, "f32.ne": 0x5c, "f32.le": 0x5f, "f32.ge": 0x60,
  "f32.add": 0x92, "f32.sub": 0x93, "f32.mul": 0x94, "f32.div": 0x95, "f64.sqrt": 0x9f, "f64.add": 0xa0, "f64.sub": 0xa1, "f64.mul": 0xa2, "f64.div": 0xa3,
  "i32.div_s": 0x6d, "i32.div_u": 0x6e, "i32.rem_s": 0x6f, "i32.rem_u": 0x70, "i64.eqz": 0x50, "i64.eq": 0x51, "i64.lt_s": 0x53, "i64.lt_u": 0x54, "i64.shl": 0x86, "i64.shr_s": 0x87, "i64.and": 0x83, "i64.xor": 0x85,
  "select": 0x1b, "i32.wrap_i64": 0xa7, "i64.extend_i32_s": 0xac, "i64.extend_i32_u": 0xad, "f64.convert_i64_s": 0xb9, "f32.convert_i64_s": 0xb4, "f32.convert_i32_s": 0xb2, "f64.convert_i32_s": 0xb7, "f32.demote_f64": 0xb6, "f64.promote_f32": 0xbb,
  "i64.trunc_sat_f64_s": 0xfc06,
  "v128.load": 0xfd00, "v128.load8x8_s": 0xfd01, "v128.load8_splat": 0xfd07, "v128.load16_splat": 0xfd08, "v128.load32_splat": 0xfd09, "v128.load64_splat": 0xfd0a,
  "v128.store": 0xfd0b, "v128.load32_zero": 0xfd5c, "v128.load64_zero": 0xfd5d,
  "i8x16.splat": 0xfd0f, "i16x8.splat": 0xfd10, "i32x4.splat": 0xfd11, "i64x2.splat": 0xfd12, "f32x4.splat": 0xfd13, "f64x2.splat": 0xfd14,
  "i8x16.narrow_i16x8_s": 0xfd65, "i8x16.narrow_i16x8_u": 0xfd66, "i16x8.narrow_i32x4_s": 0xfd85, "i16x8.narrow_i32x4_u": 0xfd86,
  "i16x8.extend_low_i8x16_s": 0xfd87, "i16x8.extend_low_i8x16_u": 0xfd89, "i32x4.extend_low_i16x8_s": 0xfda7, "i32x4.extend_low_i16x8_u": 0xfda9,
  "i64x2.extend_low_i32x4_s": 0xfdc7, "i64x2.extend_low_i32x4_u": 0xfdc9, "i64x2.extend_high_i32x4_u": 0xfdca,
  "i8x16.eq": 0xfd23, "i8x16.ne": 0xfd24, "i8x16.lt_s": 0xfd25, "i8x16.gt_s": 0xfd27, "i8x16.le_s": 0xfd29, "i8x16.ge_s": 0xfd2b,
  "i32x4.eq": 0xfd37, "i32x4.ne": 0xfd38, "i32x4.lt_s": 0xfd39, "i32x4.gt_s": 0xfd3b, "i32x4.le_s": 0xfd3d, "i32x4.ge_s": 0xfd3f,
  "f32x4.eq": 0xfd41, "f32x4.ne": 0xfd42, "f32x4.lt": 0xfd43, "f32x4.gt": 0xfd44, "f32x4.le": 0xfd45, "f32x4.ge": 0xfd46,
  "f64x2.eq": 0xfd47, "f64x2.ne": 0xfd48, "f64x2.lt": 0xfd49, "f64x2.gt": 0xfd4a, "f64x2.le": 0xfd4b, "f64x2.ge": 0xfd4c,
  "v128.not": 0xfd4d, "v128.and": 0xfd4e, "v128.andnot": 0xfd4f, "v128.or": 0xfd50, "v128.xor": 0xfd51, "v128.bitselect": 0xfd52, "v128.any_true": 0xfd53, "i32x4.bitmask": 0xfda4, "i64x2.bitmask": 0xfdc4,
  "f32x4.demote_f64x2_zero": 0xfd5e, "f64x2.promote_low_f32x4": 0xfd5f, "f32x4.ceil": 0xfd67, "f32x4.floor": 0xfd68, "f32x4.trunc": 0xfd69, "f32x4.nearest": 0xfd6a,
  "f64x2.ceil": 0xfd74, "f64x2.floor": 0xfd75, "f64x2.trunc": 0xfd7a, "f64x2.nearest": 0xfd94,
  "i8x16.neg": 0xfd61, "i32x4.abs": 0xfda0, "i32x4.neg": 0xfda1, "i32x4.shl": 0xfdab, "i32x4.shr_s": 0xfdac, "i32x4.shr_u": 0xfdad, "i32x4.add": 0xfdae, "i32x4.sub": 0xfdb1, "i32x4.mul": 0xfdb5,
  "i32x4.min_s": 0xfdb6, "i32x4.max_s": 0xfdb8,
  "i64x2.abs": 0xfdc0, "i64x2.neg": 0xfdc1, "i64x2.shl": 0xfdcb, "i64x2.shr_s": 0xfdcc, "i64x2.shr_u": 0xfdcd, "i64x2.add": 0xfdce, "i64x2.sub": 0xfdd1, "i64x2.mul": 0xfdd5,
  "i64x2.eq": 0xfdd6, "i64x2.ne": 0xfdd7, "i64x2.lt_s": 0xfdd8, "i64x2.gt_s": 0xfdd9, "i64x2.le_s": 0xfdda, "i64x2.ge_s": 0xfddb,
  "f32x4.abs": 0xfde0, "f32x4.neg": 0xfde1, "f32x4.sqrt": 0xfde3, "f32x4.add": 0xfde4, "f32x4.sub": 0xfde5, "f32x4.mul": 0xfde6, "f32x4.div": 0xfde7, "f32x4.min": 0xfde8, "f32x4.max": 0xfde9,
  "f32x4.pmin": 0xfdea, "f32x4.pmax": 0xfdeb,
  "f64x2.abs": 0xfdec, "f64x2.neg": 0xfded, "f64x2.sqrt": 0xfdef, "f64x2.add": 0xfdf0, "f64x2.sub": 0xfdf1, "f64x2.mul": 0xfdf2, "f64x2.div": 0xfdf3, "f64x2.min": 0xfdf4, "f64x2.max": 0xfdf5,
  "f64x2.pmin": 0xfdf6, "f64x2.pmax": 0xfdf7,
  "i32x4.trunc_sat_f32x4_s": 0xfdf8, "i32x4.trunc_sat_f32x4_u": 0xfdf9, "i32x4.trunc_sat_f64x2_u_zero": 0xfdfd, "f32x4.convert_i32x4_s": 0xfdfa, "i32x4.trunc_sat_f64x2_s_zero": 0xfdfc, "f64x2.convert_low_i32x4_s": 0xfdfe,
  "f32x4.relaxed_madd": 0xfd0105, "f32x4.relaxed_nmadd": 0xfd0106, "f64x2.relaxed_madd": 0xfd0107, "f64x2.relaxed_nmadd": 0xfd0108,
  "i8x16.relaxed_laneselect": 0xfd0109, "i32x4.relaxed_laneselect": 0xfd010b, "i64x2.relaxed_laneselect": 0xfd010c,
} as const;
export type Opcode = keyof typeof opcodes;

/** Lane instructions, which carry the number of the lane; those with "lane" and bits read it from memory. */
const laneOpcodes = {
  "i32x4.extract_lane": 0x1b, "i64x2.extract_lane": 0x1d, "f32x4.extract_lane": 0x1f, "f64x2.extract_lane": 0x21,
  "i32x4.replace_lane": 0x1c, "i64x2.replace_lane": 0x1e, "f32x4.replace_lane": 0x20, "f64x2.replace_lane": 0x22,
} as const;
export type LaneOpcode = keyof typeof laneOpcodes;
const loadLanes = { 8: 0x54, 16: 0x55, 32: 0x56, 64: 0x57 } as const;
const storeLanes = { 8: 0x58, 16: 0x59, 32: 0x5a, 64: 0x5b } as const;

/** The body of a function as it is written. Control blocks take a callback, so that they cannot be left open. */
export class Assembler {
  readonly code: number[] = [];
  private readonly parameters: number;
  private readonly locals: ValueType[] = [];

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  /** A new local of the type. */
  local(type: ValueType): number {
    return this.parameters + this.locals.push(type) - 1;
  }
  get(local: number): this {
    return this.bytes(0x20, ...unsigned(local));
  }
  set(local: number): this {
    return this.bytes(0x21, ...unsigned(local));
  }
  /** Reads a constant of the module. */
  global(index: number): this {
    return this.bytes(0x23, ...unsigned(index));
  }
  tee(local: number): this {
    return this.bytes(0x22, ...unsigned(local));
  }
  i32(value: number): this {
    return this.bytes(0x41, ...signed32(value | 0));
  }
  i64(value: bigint): this {
    return this.bytes(0x42, ...signed(value));
  }
  f32(value: number): this {
    scratch.setFloat32(0, value, true);
    return this.bytes(0x43, ...new Uint8Array(scratch.buffer, 0, 4));
  }
  f64(value: number): this {
    scratch.setFloat64(0, value, true);
    return this.bytes(0x44, ...new Uint8Array(scratch.buffer, 0, 8));
  }
  /** An instruction without immediates. */
  op(name: Opcode): this {
    const code: number = opcodes[name];
    if (code < 0x100) return this.bytes(code);
    return code > 0xffff ? this.bytes(code >>> 16, ...unsigned(code & 0xffff)) : this.bytes(code >>> 8, ...unsigned(code & 0xff));
  }
  /** A load or a store at a constant offset from the address on the stack. */
  memory(name: Opcode, offset = 0): this {
    return this.op(name).bytes(0, ...unsigned(offset));
  }
  lane(name: LaneOpcode, lane: number): this {
    return this.bytes(0xfd, laneOpcodes[name], lane);
  }
  /** Loads one lane of a vector: address and vector are on the stack. */
  loadLane(bits: 8 | 16 | 32 | 64, lane: number, offset = 0): this {
    return this.bytes(0xfd, loadLanes[bits], 0, ...unsigned(offset), lane);
  }
  /** Stores one lane of a vector: address and vector are on the stack. */
  storeLane(bits: 8 | 16 | 32 | 64, lane: number, offset = 0): this {
    return this.bytes(0xfd, storeLanes[bits], 0, ...unsigned(offset), lane);
  }
  shuffle(lanes: readonly number[]): this {
    return this.bytes(0xfd, 0x0d, ...lanes);
  }
  /** Runs `body` for as long as it ends by leaving a true i32 on the stack. */
  loop(body: () => void): this {
    this.bytes(0x03, 0x40);
    body();
    return this.bytes(0x0d, 0, 0x0b);
  }
  /** Runs `body` if the i32 on the stack is true. */
  when(body: () => void): this {
    this.bytes(0x04, 0x40);
    body();
    return this.bytes(0x0b);
  }
  /** Runs `yes` if the i32 on the stack is true, else `no`. */
  choose(yes: () => void, no: () => void): this {
    this.bytes(0x04, 0x40);
    yes();
    this.bytes(0x05);
    no();
    return this.bytes(0x0b);
  }
  /** Copies bytes, also where the places overlap: target, source and number are on the stack. */
  memoryCopy(): this {
    return this.bytes(0xfc, 0x0a, 0, 0);
  }
  /** Fills bytes: target, value and number are on the stack. */
  memoryFill(): this {
    return this.bytes(0xfc, 0x0b, 0);
  }
  call(index: number): this {
    return this.bytes(0x10, ...unsigned(index));
  }
  private bytes(...values: number[]): this {
    for (const v of values) this.code.push(v);
    return this;
  }
  /** The body with its locals, ready for the code section. */
  finish(): number[] {
    const body = unsigned(this.locals.length);
    for (const type of this.locals) body.push(1, typeCodes[type]);
    append(body, this.code).push(0x0b);
    return append(unsigned(body.length), body);
  }
}

export interface WasmFunction {
  name: string;
  parameters: readonly ValueType[];
  results: readonly ValueType[];
  body: Assembler;
}

export interface WasmModule {
  functions: readonly WasmFunction[];
  /** What `m.m` is. */
  memory: { shared: boolean };
  /** Imported from `f`; they are numbered before the module's own. */
  imports?: readonly { name: string; parameters: readonly ValueType[]; results: readonly ValueType[] }[];
  /**
   * Vectors of 16 bytes, which `global` reads. They are globals that could be written, so that no engine takes them for
   * literals: the newest V8 makes literals anew in each round of a loop.
   */
  constants?: readonly Uint8Array[];
}

const MAX_PAGES = 65536;
const section = (id: number, body: number[]): number[] => append([id, ...unsigned(body.length)], body);
const text = (name: string): number[] => [...unsigned(name.length), ...[...name].map((c) => c.charCodeAt(0))];
const vector = (items: number[][]): number[] => items.reduce(append, unsigned(items.length));
const codesOf = (types: readonly ValueType[]): number[] => vector(types.map((t) => [typeCodes[t]]));

/** The bytes of a module. */
export function assemble({ functions, memory, imports = [], constants = [] }: WasmModule): Uint8Array<ArrayBuffer> {
  const signatures = [...imports, ...functions].map((f) => [0x60, ...codesOf(f.parameters), ...codesOf(f.results)]);
  const imported = imports.map((f, i) => [...text("f"), ...text(f.name), 0x00, ...unsigned(i)]);
  const limits = [memory.shared ? 3 : 1, 0, ...unsigned(MAX_PAGES)];
  const sections = [
    section(1, vector(signatures)),
    section(2, vector([...imported, [...text("m"), ...text("m"), 0x02, ...limits]])),
    section(3, vector(functions.map((_, i) => unsigned(imports.length + i)))),
    section(6, vector(constants.map((bytes) => [typeCodes.v128, 1, 0xfd, 0x0c, ...bytes, 0x0b]))),
    section(7, vector(functions.map((f, i) => [...text(f.name), 0x00, ...unsigned(imports.length + i)]))),
    section(10, vector(functions.map((f) => f.body.finish()))),
  ];
  return new Uint8Array(sections.reduce(append, [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]));
}
