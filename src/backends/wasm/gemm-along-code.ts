/** The kernel of products whose factors both lie along the depth: sums of products of vectors, for which nothing is packed. */
import { Assembler, type LaneOpcode } from "./assembler.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { multiplyAdd, whileTrue, type FloatType } from "./gemm-code.ts";

/**
 * Bytes at which the parameters lie in the block. `rows`, `columns` and `batches` are tables of distances in bytes, of a matrix in
 * both factors and in the output for `batches`; `lines` is one of LINE words for each stretch of the depth: where it starts in `a` and in `b`, the bytes
 * of its whole vectors, and whether elements are left, of which `mask` tells the lanes in a vector that ends `back` bytes later.
 * A unit is a block of rows by a group of columns, whose vectors of sums lie at `sums`.
 */
export const alongFields = {
  a: 0, b: 4, out: 8, rows: 12, columns: 16, batches: 20, lines: 24, linesEnd: 28, chunk: 32, back: 36, m: 40, n: 44, blocks: 48, groups: 52,
  sums: 56, keep: 60, mask: 64, alpha: 80, beta: 88, outRow: 96,
} as const;
export const ALONG_BYTES = 100;
/** Words of a line, and of a matrix. */
export const LINE = 4;
export const MATRIX = 3;

/** What a round of the kernel works with: rows and columns of a tile. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Columns of a unit. */
  readonly group: number;
}
/** The first has as many sums as registers hold; the second is for a single row. */
export const tiles: readonly Tile[] = [{ rows: 4, columns: 2, group: 32 }, { rows: 1, columns: 5, group: 30 }];
/** Bytes of a unit's sums. */
export const sumsBytes = ({ rows, group }: Tile): number => 16 * rows * group;

interface Locals {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly sums: readonly (readonly number[])[];
}

const PARAMETERS = 0;
type Field = (name: keyof typeof alongFields) => Assembler;

export function compileAlong(type: FloatType, tile: Tile): Kernel {
  const code = new Assembler(3);
  const [unit, to] = [1, 2];
  const field: Field = (name) => code.get(PARAMETERS).memory("i32.load", alongFields[name]);
  const number = (): number => code.local("i32");
  const [row, first, last, column, line, lineEnd, batch, sums, place, at] = Array.from({ length: 10 }, number);
  const starts = { a: Array.from({ length: tile.rows }, number), b: Array.from({ length: tile.columns }, number) };
  const locals: Locals = {
    a: starts.a.map(number), b: starts.b.map(number), sums: starts.a.map(() => starts.b.map(() => code.local("v128"))),
  };
  const flat = locals.sums.flat();
  const total = code.local(type.name);
  const runTile = tileWriter(code, type, locals, starts, field);
  /** Leaves the start of a row or of a column: its own distance and the matrix's. */
  const find = (base: "a" | "b", table: "rows" | "columns", index: number, i: number): Assembler => {
    field(table).get(index).i32(2).op("i32.shl").op("i32.add").memory("i32.load", 4 * i);
    code.get(batch).memory("i32.load", base === "a" ? 0 : 4).op("i32.add");
    return field(base).op("i32.add");
  };
  const eachBlock = (body: () => void): void => {
    code.get(first).set(column).get(sums).set(place);
    whileTrue(code, () => code.get(column).get(last).op("i32.lt_s"), () => {
      body();
      code.get(column).i32(tile.columns).op("i32.add").set(column).get(place).i32(16 * flat.length).op("i32.add").set(place);
    });
  };
  whileTrue(code, () => code.get(unit).get(to).op("i32.ne"), () => {
    code.get(unit); field("groups").op("i32.rem_u").i32(tile.group).op("i32.mul").set(first);
    code.get(unit); field("groups").op("i32.div_u").tee(row); field("blocks").op("i32.div_u").i32(4 * MATRIX).op("i32.mul"); field("batches").op("i32.add").set(batch);
    code.get(row); field("blocks").op("i32.rem_u").i32(tile.rows).op("i32.mul").set(row);
    code.get(first).i32(tile.group).op("i32.add").tee(last); field("n").get(last); field("n").op("i32.lt_s").op("select").set(last);
    field("sums").get(unit).i32(sumsBytes(tile)).op("i32.mul").op("i32.add").tee(sums).i32(0).i32(sumsBytes(tile)).memoryFill();
    starts.a.forEach((start, r) => find("a", "rows", row, r).set(start));
    field("lines").set(line);
    whileTrue(code, () => { code.get(line); field("linesEnd").op("i32.ne"); }, () => {
      code.get(line); field("chunk").op("i32.add").tee(lineEnd); field("linesEnd").get(lineEnd); field("linesEnd").op("i32.lt_s").op("select").set(lineEnd);
      eachBlock(() => {
        starts.b.forEach((start, c) => find("b", "columns", column, c).set(start));
        flat.forEach((sum) => code.f32(0).op("f32x4.splat").set(sum));
        runTile(line, lineEnd);
        flat.forEach((sum, i) => code.get(place).get(place).memory("v128.load", 16 * i).get(sum).op(`${type.shape}.add`).memory("v128.store", 16 * i));
      });
      code.get(lineEnd).set(line);
    });
    eachBlock(() => {
      for (let r = 0; r < tile.rows; r++) {
        for (let c = 0; c < tile.columns; c++) {
          code.get(row).i32(r).op("i32.add"); field("m").op("i32.lt_s").get(column).i32(c).op("i32.add").get(last).op("i32.lt_s").op("i32.and").when(() => {
            code.get(row).i32(r).op("i32.add"); field("outRow").op("i32.mul").get(column).i32(c).op("i32.add").i32(type.bytes).op("i32.mul").op("i32.add");
            code.get(batch).memory("i32.load", 8).op("i32.add"); field("out").op("i32.add").set(at);
            code.get(place).memory("v128.load", 16 * (r * tile.columns + c)).set(flat[0]);
            storeSum(code, type, { at, sum: flat[0], total });
          });
        }
      }
    });
    code.get(unit).i32(1).op("i32.add").set(unit);
  });
  return compileKernel({ functions: [{ name: "run", parameters: ["i32", "i32", "i32"], results: [], body: code }] });
}

/** Makes what writes the sums of one tile over the lines from `line` to `end`. */
function tileWriter(code: Assembler, type: FloatType, { a, b, sums }: Locals, starts: { a: readonly number[]; b: readonly number[] }, field: Field): (line: number, end: number) => void {
  const [at, whole] = [code.local("i32"), code.local("i32")];
  const vectors = a.map(() => code.local("v128"));
  const [vector, mask] = [code.local("v128"), code.local("v128")];
  code.get(PARAMETERS).memory("v128.load", alongFields.mask).set(mask);
  const multiply = (load: (address: number) => void): void => {
    a.forEach((address, r) => {
      load(address);
      code.set(vectors[r]);
    });
    b.forEach((address, c) => {
      load(address);
      code.set(vector);
      vectors.forEach((left, r) => multiplyAdd(code, type, () => code.get(left).get(vector), sums[r][c]));
    });
  };
  return (line, end) => {
    code.get(line).set(at);
    whileTrue(code, () => code.get(at).get(end).op("i32.ne"), () => {
      a.forEach((address, r) => code.get(starts.a[r]).get(at).memory("i32.load").op("i32.add").set(address));
      b.forEach((address, c) => code.get(starts.b[c]).get(at).memory("i32.load", 4).op("i32.add").set(address));
      code.get(a[0]).get(at).memory("i32.load", 8).op("i32.add").set(whole);
      whileTrue(code, () => code.get(a[0]).get(whole).op("i32.ne"), () => {
        multiply((address) => code.get(address).memory("v128.load"));
        [...a, ...b].forEach((address) => code.get(address).i32(16).op("i32.add").set(address));
      });
      // Both are masked: what lies beyond a line may be infinite.
      code.get(at).memory("i32.load", 12).when(() => multiply((address) => { code.get(address); field("back").op("i32.add").memory("v128.load").get(mask).op("v128.and"); }));
      code.get(at).i32(4 * LINE).op("i32.add").set(at);
    });
  };
}

/** Stores the sum of the lanes of the vector at `place`, scaled, at the address `at`; `sum` and `total` are locals to work with. */
function storeSum(code: Assembler, type: FloatType, { at, sum, total }: { at: number; sum: number; total: number }): void {
  const { name, shape } = type;
  const lane = (i: number): Assembler => code.get(sum).lane(`${shape}.extract_lane` as LaneOpcode, i);
  const scale = (which: "alpha" | "beta"): Assembler => code.get(PARAMETERS).memory(`${name}.load`, alongFields[which]).op(`${name}.mul`);
  for (let i = 0; i < type.lanes; i += 2) {
    lane(i);
    lane(i + 1).op(`${name}.add`);
    if (i > 0) code.op(`${name}.add`);
  }
  scale("alpha").set(total);
  code.get(PARAMETERS).memory("i32.load", alongFields.keep).when(() => {
    code.get(at).memory(`${name}.load`);
    scale("beta").get(total).op(`${name}.add`).set(total);
  });
  code.get(at).get(total).memory(`${name}.store`);
}
