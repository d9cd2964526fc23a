/** The kernel of products: each thread packs what it multiplies, in blocks that the caches hold, and multiplies it tile by tile. */
import { Assembler, type WasmFunction } from "./assembler.ts";
import { compileKernel, type Kernel } from "./engine.ts";
import { TILE_ROWS, tileColumns, tileHeights, whileTrue, type FloatType } from "./gemm-code.ts";
import { packFunction, wholeFunction } from "./gemm-pack.ts";
import { tileFunction } from "./gemm-tile.ts";

/**
 * Bytes at which the parameters lie in the block. A unit is a panel of rows by a group of columns; they are counted panel by panel, then
 * group by group, then through the batch. `aLanes`, `aDepths`, `bLanes` and `bDepths` are tables of distances in bytes along the sides
 * of the factors, `aPlaces`, `bPlaces` and `outPlaces` those of the matrices. Panels of columns may be read as they lie where `inPlace` is set
 * and they are whole vectors; `inOrder` are the distances of the depths in packed ones. Depths are multiplied by `slice`, and packed by
 * `piece`, a multiple of it. A thread has an area of `areaBytes` to itself: `held` words that tell which columns are packed at
 * `packed` in it, a tile, and packed rows.
 */
export const multiplyFields = {
  a: 0, aLanes: 4, aDepths: 8, aPlaces: 12, b: 16, bLanes: 20, bDepths: 24, bPlaces: 28, inOrder: 32, out: 36, outRow: 40, outPlaces: 44, m: 48, n: 52, k: 56, panels: 60,
  columns: 64, groups: 68, group: 72, slice: 76, piece: 80, inPlace: 84, keep: 88, job: 92, areas: 96, areaBytes: 100, packed: 104, alpha: 112, beta: 120,
} as const;
/** Of all parameters. */
export const MULTIPLY_BYTES = 128;
type Field = keyof typeof multiplyFields;

/** Panels of rows that share what the caches hold of the columns. */
export const BLOCK_PANELS = 24;
/** What lies in an area before the packed rows: the job, the matrix, the first column and the first depth of what is packed; then a tile at the edge. */
const HELD_BYTES = 16;
export const AREA_BYTES = HELD_BYTES + TILE_ROWS * 32;

export function compileMultiply(type: FloatType): Kernel {
  const tiles = tileHeights.map((rows) => tileFunction(type, rows));
  const functions = [...tiles, copyFunction(type), packFunction("packRows", type, TILE_ROWS), packFunction("packColumns", type, tileColumns(type)), wholeFunction(type)];
  const run: WasmFunction = { name: "run", parameters: ["i32", "i32", "i32", "i32"], results: [], body: writeRun(type, functions) };
  return compileKernel({ functions: [...functions, run] });
}

function writeRun(type: FloatType, functions: readonly WasmFunction[]): Assembler {
  const a = new Assembler(4);
  const [parameters, unit, to, thread] = [0, 1, 2, 3];
  const numbers = (count: number): number[] => Array.from({ length: count }, () => a.local("i32"));
  const field = (name: Field): Assembler => a.get(parameters).memory("i32.load", multiplyFields[name]);
  const call = (name: string): Assembler => a.call(functions.findIndex((f) => f.name === name));
  const [area, first, last, group, batch, left, right, out, column, columnsEnd, from, till, block, blockEnd, depth, size] = numbers(16);
  const [i, at, target, row, rows, width, whole, lanes, vector0, vector1, distances, keep] = numbers(12);
  const beta = a.local(type.name);
  const aStep = TILE_ROWS * type.bytes;
  const bStep = tileColumns(type) * type.bytes;
  const least = (x: number, y: () => void): void => {
    y();
    a.set(at).get(x).get(at).get(x).get(at).op("i32.lt_s").op("select").set(x);
  };
  const each = (index: number, start: number, end: number, body: () => void): void => {
    a.get(start).set(index);
    whileTrue(a, () => a.get(index).get(end).op("i32.ne"), () => {
      body();
      a.get(index).i32(1).op("i32.add").set(index);
    });
  };

  /** Leaves where the panel `column` is packed. */
  const packedColumns = (): void => {
    a.get(area); field("packed").op("i32.add").get(column).get(group).op("i32.sub").get(till).get(from).op("i32.sub").op("i32.mul").i32(bStep).op("i32.mul").op("i32.add");
  };
  /** Sets `lanes` to those of the panel `column`, and leaves whether they are read as they lie. */
  const isInPlace = (): void => {
    field("bLanes").get(column).i32(4 * tileColumns(type)).op("i32.mul").op("i32.add").set(lanes);
    field("inPlace").get(lanes); call("whole").op("i32.and");
  };
  const depthsFrom = (table: Field, index: number): Assembler => field(table).get(index).i32(2).op("i32.shl").op("i32.add");
  const packColumns = (): void => {
    const key = [() => field("job"), () => a.get(right), () => a.get(group), () => a.get(from)];
    a.i32(0);
    key.forEach((push, word) => {
      a.get(area).memory("i32.load", 4 * word);
      push().op("i32.ne").op("i32.or");
    });
    a.when(() => {
      each(column, group, columnsEnd, () => {
        isInPlace();
        a.op("i32.eqz").when(() => {
          a.get(lanes).get(right); depthsFrom("bDepths", from).get(till).get(from).op("i32.sub");
          packedColumns();
          call("packColumns");
        });
      });
      key.forEach((push, word) => {
        a.get(area);
        push().memory("i32.store", 4 * word);
      });
    });
  };
  /** Leaves where the panel `i` of rows is packed. */
  const packedRows = (): Assembler => a.get(area).get(i).get(block).op("i32.sub").get(size).op("i32.mul").i32(aStep).op("i32.mul").op("i32.add").i32(AREA_BYTES).op("i32.add");
  const packRows = (): void => each(i, block, blockEnd, () => {
    field("aLanes").get(i).i32(4 * TILE_ROWS).op("i32.mul").op("i32.add").get(left); depthsFrom("aDepths", depth).get(size);
    packedRows();
    call("packRows");
  });
  const findColumns = (): void => {
    isInPlace();
    a.choose(() => {
      a.get(right).get(lanes).memory("i32.load").op("i32.add").set(vector0);
      a.get(right).get(lanes).memory("i32.load", 4 * type.lanes).op("i32.add").set(vector1);
      depthsFrom("bDepths", depth).set(distances);
    }, () => {
      packedColumns();
      a.get(depth).get(from).op("i32.sub").i32(bStep).op("i32.mul").op("i32.add").tee(vector0).i32(16).op("i32.add").set(vector1);
      field("inOrder").set(distances);
    });
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
    // What a tile at the edge has too much of must not be written: it goes by way of the area.
    a.get(at).get(area).i32(HELD_BYTES).op("i32.add").get(whole).op("select").set(target);
    field("outRow").i32(bStep).get(whole).op("select").set(row);
    tileHeights.forEach((height, index) => {
      a.get(rows).i32(tileHeights[index - 1] ?? 0).op("i32.gt_s").get(rows).i32(height).op("i32.le_s").op("i32.and").when(() => {
        packedRows().get(vector0).get(vector1).get(distances).get(size).get(target).get(row);
        a.get(parameters).memory(`${type.name}.load`, multiplyFields.alpha).get(beta).get(keep).get(whole).op("i32.and").call(index);
      });
    });
    a.get(whole).op("i32.eqz").when(() => {
      a.get(at); field("outRow").get(target).get(rows).get(width).get(beta).get(keep); call("copy");
    });
  };
  /** One slice of the depths of one block of rows. */
  const slice = (): void => {
    a.get(till).get(depth).op("i32.sub").set(size);
    least(size, () => field("slice"));
    packRows();
    // Slices that follow add to the first one.
    a.get(depth).choose(() => a.i32(1).set(keep)[type.name](1).set(beta), () => {
      field("keep").set(keep).get(parameters).memory(`${type.name}.load`, multiplyFields.beta).set(beta);
    });
    each(column, group, columnsEnd, () => {
      findColumns();
      each(i, block, blockEnd, tile);
    });
    a.get(depth).get(size).op("i32.add").set(depth);
  };
  const piece = (): void => {
    a.get(from); field("piece").op("i32.add").set(till);
    least(till, () => field("k"));
    packColumns();
    a.get(first).set(block);
    whileTrue(a, () => a.get(block).get(last).op("i32.ne"), () => {
      a.get(block).i32(BLOCK_PANELS).op("i32.add").set(blockEnd);
      least(blockEnd, () => a.get(last));
      a.get(from).set(depth);
      whileTrue(a, () => a.get(depth).get(till).op("i32.ne"), slice);
      a.get(blockEnd).set(block);
    });
    a.get(till).set(from);
  };
  const findMatrix = (base: Field, places: Field, address: number): void => {
    field(base); field(places).get(batch).op("i32.add").memory("i32.load").op("i32.add").set(address);
  };
  field("areas").get(thread); field("areaBytes").op("i32.mul").op("i32.add").set(area);
  whileTrue(a, () => a.get(unit).get(to).op("i32.ne"), () => {
    a.get(unit); field("panels").op("i32.rem_u").tee(first).get(to).get(unit).op("i32.sub").op("i32.add").set(last);
    least(last, () => field("panels"));
    a.get(unit); field("panels").op("i32.div_u").tee(group); field("groups").op("i32.div_u").i32(2).op("i32.shl").set(batch);
    a.get(group); field("groups").op("i32.rem_u"); field("group").op("i32.mul").tee(group); field("group").op("i32.add").set(columnsEnd);
    least(columnsEnd, () => field("columns"));
    findMatrix("a", "aPlaces", left);
    findMatrix("b", "bPlaces", right);
    findMatrix("out", "outPlaces", out);
    a.i32(0).set(from);
    whileTrue(a, () => { a.get(from); field("k").op("i32.ne"); }, piece);
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
