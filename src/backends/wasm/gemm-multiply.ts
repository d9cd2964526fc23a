/** The multiplying kernel: tiles over packed panels, in an order that keeps what is read again in the caches. */
import { Assembler, type WasmFunction } from "./assembler.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { TILE_ROWS, tileColumns, tileHeights, whileTrue, type FloatType } from "./gemm-code.ts";
import { ENTRY } from "./gemm-panels.ts";
import { tileFunction } from "./gemm-tile.ts";

/**
 * Bytes at which the parameters lie in the block. A unit is a panel of rows by a group of columns; they are counted panel by
 * panel, then group by group, then through the batch. Panels of rows are packed at `a`; panels of columns at `b` or, as their
 * entry tells, lie in the matrix at `bSource`, their depths at the distances in `depths`. `aPanels`, `bPanels`, `bPlaces` and
 * `outPlaces` are tables of a matrix's distance in bytes; `inOrder` is the table of the distances of depths in packed panels.
 */
export const multiplyFields = {
  a: 0, aPanels: 4, b: 8, bPanels: 12, bSource: 16, bPlaces: 20, entries: 24, depths: 28, inOrder: 32, out: 36, outRow: 40, outPlaces: 44, tiles: 48,
  m: 52, n: 56, k: 60, panels: 64, groups: 68, keep: 72, alpha: 80, beta: 88,
} as const;
/** Of all parameters. */
export const MULTIPLY_BYTES = 96;
type Field = keyof typeof multiplyFields;

/** Depth of a block: a panel of columns of this depth stays in the first cache. */
export const BLOCK_DEPTH = 256;
/** Panels of rows that share what the caches hold of the columns. */
const BLOCK_PANELS = 24;
/** Panels of columns of a unit. */
export const GROUP_PANELS = 64;
/** Bytes of a tile at the edge, where it is summed before its part is copied out. */
export const TILE_BYTES = TILE_ROWS * 32;

export function compileMultiply(type: FloatType): Kernel {
  const copy = tileHeights.length;
  const run = tileHeights.map((rows) => tileFunction(type, rows));
  return compileKernel({
    functions: [...run, copyFunction(type), { name: "run", parameters: ["i32", "i32", "i32"], results: [], body: writeRun(type, copy) }],
  });
}

function writeRun(type: FloatType, copy: number): Assembler {
  const a = new Assembler(3);
  const [parameters, unit, to] = [0, 1, 2];
  const number = (): number => a.local("i32");
  const field = (name: Field): Assembler => a.get(parameters).memory("i32.load", multiplyFields[name]);
  const [first, last, group, batch, left, right, source, out] = [number(), number(), number(), number(), number(), number(), number(), number()];
  const [entry, vector0, vector1, distances] = [number(), number(), number(), number()];
  const [depth, size, keep, beta] = [number(), number(), number(), a.local(type.name)];
  const [column, columnsEnd, i, rows, width, at, target, row, whole] = [number(), number(), number(), number(), number(), number(), number(), number(), number()];
  const aStep = TILE_ROWS * type.bytes;
  const bStep = tileColumns(type) * type.bytes;
  const least = (x: number, y: () => void): void => {
    y();
    a.set(at).get(x).get(at).get(x).get(at).op("i32.lt_s").op("select").set(x);
  };

  const tile = (): void => {
    field("m").get(i).i32(TILE_ROWS).op("i32.mul").op("i32.sub").set(rows);
    least(rows, () => a.i32(TILE_ROWS));
    field("n").get(column).i32(tileColumns(type)).op("i32.mul").op("i32.sub").set(width);
    least(width, () => a.i32(tileColumns(type)));
    a.get(out).get(i).i32(TILE_ROWS).op("i32.mul"); field("outRow").op("i32.mul").op("i32.add").get(column).i32(bStep).op("i32.mul").op("i32.add").set(at);
    a.i32(0);
    tileHeights.forEach((height) => a.get(rows).i32(height).op("i32.eq").op("i32.or"));
    a.get(width).i32(tileColumns(type)).op("i32.eq").op("i32.and").set(whole);
    // What a tile at the edge has too much of must not be written: it goes by way of memory of the unit's own.
    a.get(at); field("tiles").get(unit).get(i).get(first).op("i32.sub").op("i32.add").i32(TILE_BYTES).op("i32.mul").op("i32.add").get(whole).op("select").set(target);
    field("outRow").i32(bStep).get(whole).op("select").set(row);
    tileHeights.forEach((height, index) => {
      a.get(rows).i32(tileHeights[index - 1] ?? 0).op("i32.gt_s").get(rows).i32(height).op("i32.le_s").op("i32.and").when(() => {
        a.get(left).get(i); field("k").op("i32.mul").get(depth).op("i32.add").i32(aStep).op("i32.mul").op("i32.add");
        a.get(vector0).get(vector1).get(distances).get(size).get(target).get(row);
        a.get(parameters).memory(`${type.name}.load`, multiplyFields.alpha).get(beta).get(keep).get(whole).op("i32.and").call(index);
      });
    });
    a.get(whole).op("i32.eqz").when(() => {
      a.get(at); field("outRow").get(target).get(rows).get(width).get(beta).get(keep).call(copy);
    });
  };
  const findColumns = (): void => {
    field("entries").get(column).i32(4 * ENTRY).op("i32.mul").op("i32.add").tee(entry).memory("i32.load");
    a.choose(() => {
      a.get(right).get(entry).memory("i32.load", 4); field("k").op("i32.mul").get(depth).op("i32.add").i32(bStep).op("i32.mul").op("i32.add");
      a.tee(vector0).i32(16).op("i32.add").set(vector1);
      field("inOrder").set(distances);
    }, () => {
      a.get(source).get(entry).memory("i32.load", 8).op("i32.add").set(vector0);
      a.get(source).get(entry).memory("i32.load", 12).op("i32.add").set(vector1);
      field("depths").get(depth).i32(2).op("i32.shl").op("i32.add").set(distances);
    });
  };
  const block = (): void => {
    field("k").get(depth).op("i32.sub").set(size);
    least(size, () => a.i32(BLOCK_DEPTH));
    a.get(group).i32(GROUP_PANELS).op("i32.mul").tee(column).i32(GROUP_PANELS).op("i32.add").set(columnsEnd);
    least(columnsEnd, () => field("n").i32(tileColumns(type) - 1).op("i32.add").i32(tileColumns(type)).op("i32.div_u"));
    whileTrue(a, () => a.get(column).get(columnsEnd).op("i32.ne"), () => {
      findColumns();
      a.get(first).set(i);
      whileTrue(a, () => a.get(i).get(last).op("i32.ne"), () => {
        tile();
        a.get(i).i32(1).op("i32.add").set(i);
      });
      a.get(column).i32(1).op("i32.add").set(column);
    });
    // The blocks that follow add to this one.
    a.i32(1).set(keep)[type.name](1).set(beta);
    a.get(depth).get(size).op("i32.add").set(depth);
  };
  const matrix = (table: Field, base: Field): Assembler => {
    a.get(batch).i32(2).op("i32.shl"); field(table).op("i32.add").memory("i32.load");
    return field(base).op("i32.add");
  };
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    a.get(unit); field("panels").op("i32.rem_u").tee(first).get(to).get(unit).op("i32.sub").op("i32.add").set(last);
    least(last, () => field("panels"));
    least(last, () => a.get(first).i32(BLOCK_PANELS).op("i32.add"));
    a.get(unit); field("panels").op("i32.div_u").tee(group); field("groups").op("i32.div_u").set(batch);
    a.get(group); field("groups").op("i32.rem_u").set(group);
    matrix("aPanels", "a").set(left);
    matrix("bPanels", "b").set(right);
    matrix("bPlaces", "bSource").set(source);
    matrix("outPlaces", "out").set(out);
    field("keep").set(keep).get(parameters).memory(`${type.name}.load`, multiplyFields.beta).set(beta);
    a.i32(0).set(depth);
    whileTrue(a, () => { a.get(depth); field("k").op("i32.ne"); }, block);
    a.get(unit).get(last).get(first).op("i32.sub").op("i32.add").set(unit);
  });
  return a;
}

/** The function (out, outRow, tile, rows, width, beta, keep): copies the part of a tile that counts. */
function copyFunction(type: FloatType): WasmFunction {
  const [out, outRow, tile, rows, width, beta, keep] = [0, 1, 2, 3, 4, 5, 6];
  const a = new Assembler(7);
  const [x, y, end, value] = [a.local("i32"), a.local("i32"), a.local("i32"), a.local(type.name)];
  whileTrue(a, () => a.get(rows), () => {
    a.get(out).tee(y).get(width).i32(type.bytes).op("i32.mul").op("i32.add").set(end);
    a.get(tile).set(x);
    whileTrue(a, () => a.get(y).get(end).op("i32.ne"), () => {
      a.get(x).memory(`${type.name}.load`).set(value);
      a.get(keep).when(() => a.get(y).memory(`${type.name}.load`).get(beta).op(`${type.name}.mul`).get(value).op(`${type.name}.add`).set(value));
      a.get(y).get(value).memory(`${type.name}.store`);
      a.get(x).i32(type.bytes).op("i32.add").set(x).get(y).i32(type.bytes).op("i32.add").set(y);
    });
    a.get(out).get(outRow).op("i32.add").set(out).get(tile).i32(tileColumns(type) * type.bytes).op("i32.add").set(tile);
    a.get(rows).i32(1).op("i32.sub").set(rows);
  });
  return { name: "copy", parameters: ["i32", "i32", "i32", "i32", "i32", type.name, "i32"], results: [], body: a };
}
