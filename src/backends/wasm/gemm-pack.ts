/**
 * Packing: copies a matrix into panels, a panel's elements of one depth side by side, so that the multiplying kernel reads
 * in order whatever the strides were.
 */
import { Assembler, type WasmFunction } from "./assembler.ts";
import { TILE_VECTORS, whileTrue, type FloatType } from "./gemm-code.ts";

/** What packing a panel works with: addresses of its lanes, the table of depths and where it ends, and the target. */
interface Panel {
  readonly type: FloatType;
  readonly width: number;
  readonly lanes: readonly number[];
  readonly depth: number;
  readonly end: number;
  readonly target: number;
  readonly distance: number;
}

/**
 * A function (lanes, source, depths, count, target): packs a panel of `width` lanes, whose distances in bytes from `source` are
 * in the table `lanes`, and so many depths, whose distances are in `depths`.
 */
export function packFunction(name: string, type: FloatType, width: number): WasmFunction {
  const [table, source, depth, count, target] = [0, 1, 2, 3, 4];
  const a = new Assembler(5);
  const panel: Panel = { type, width, lanes: Array.from({ length: width }, () => a.local("i32")), depth, end: count, target, distance: a.local("i32") };
  panel.lanes.forEach((lane, r) => a.get(table).memory("i32.load", 4 * r).get(source).op("i32.add").set(lane));
  a.get(depth).get(count).i32(2).op("i32.shl").op("i32.add").set(panel.end);
  writePanel(a, panel);
  return { name, parameters: ["i32", "i32", "i32", "i32", "i32"], results: [], body: a };
}

/** The function (lanes): do the lanes of a panel fill whole vectors in memory? */
export function wholeFunction(type: FloatType): WasmFunction {
  const a = new Assembler(1);
  const lane = (i: number) => () => a.get(0).memory("i32.load", 4 * i);
  for (let v = 0; v < TILE_VECTORS; v++) {
    isEven(a, Array.from({ length: type.lanes - 1 }, (_, j) => lane(v * type.lanes + j + 1)), lane(v * type.lanes), type.bytes);
    if (v > 0) a.op("i32.and");
  }
  return { name: "whole", parameters: ["i32"], results: ["i32"], body: a };
}

function writePanel(a: Assembler, panel: Panel): void {
  const { type, width, lanes, depth, end, target } = panel;
  const more = (): Assembler => a.get(depth).get(end).op("i32.ne");
  const advance = (count: number): void => {
    a.get(depth).i32(4 * count).op("i32.add").set(depth);
    a.get(target).i32(count * width * type.bytes).op("i32.add").set(target);
  };
  isEven(a, lanes.slice(1).map((lane) => () => a.get(lane)), () => a.get(lanes[0]), type.bytes);
  a.when(() => whileTrue(a, more, () => {
    copyLanes(a, panel);
    advance(1);
  }));
  const even = a.local("i32");
  whileTrue(a, () => a.get(end).get(depth).op("i32.sub").i32(4 * type.lanes - 1).op("i32.gt_u"), () => {
    const later = Array.from({ length: type.lanes - 1 }, (_, j) => () => a.get(depth).memory("i32.load", 4 * (j + 1)));
    isEven(a, later, () => a.get(depth).memory("i32.load"), type.bytes);
    a.tee(even).when(() => transposeLanes(a, panel));
    a.get(even).op("i32.eqz").when(() => {
      for (let j = 0; j < type.lanes; j++) gatherLanes(a, panel, j);
    });
    advance(type.lanes);
  });
  whileTrue(a, more, () => {
    gatherLanes(a, panel, 0);
    advance(1);
  });
}

/** Leaves on the stack whether each of `later` lies `step` after the one before it, the first after `first`. */
function isEven(a: Assembler, later: readonly (() => Assembler)[], first: () => Assembler, step: number): void {
  a.i32(1);
  later.forEach((push, j) => {
    push();
    first().op("i32.sub").i32((j + 1) * step).op("i32.eq").op("i32.and");
  });
}

/** One depth of lanes that lie side by side. */
function copyLanes(a: Assembler, { type, width, lanes, depth, target, distance }: Panel): void {
  a.get(depth).memory("i32.load").get(lanes[0]).op("i32.add").set(distance);
  const bytes = width * type.bytes;
  let at = 0;
  for (; at + 16 <= bytes; at += 16) a.get(target).get(distance).memory("v128.load", at).memory("v128.store", at);
  if (at < bytes) a.get(target).get(distance).memory("i64.load", at).memory("i64.store", at);
}

/** One depth of lanes that lie anywhere, the `j`-th from here. */
function gatherLanes(a: Assembler, { type, width, lanes, depth, target, distance }: Panel, j: number): void {
  const [load, store] = type.bytes === 4 ? (["i32.load", "i32.store"] as const) : (["i64.load", "i64.store"] as const);
  a.get(depth).memory("i32.load", 4 * j).set(distance);
  lanes.forEach((lane, r) => a.get(target).get(lane).get(distance).op("i32.add").memory(load).memory(store, (j * width + r) * type.bytes));
}

/** As many depths as a vector has lanes, which lie side by side: vectors along the depth, transposed. */
function transposeLanes(a: Assembler, { type, width, lanes, depth, target, distance }: Panel): void {
  a.get(depth).memory("i32.load").set(distance);
  const loaded = lanes.map((lane) => {
    const v = a.local("v128");
    a.get(lane).get(distance).op("i32.add").memory("v128.load").set(v);
    return v;
  });
  const store = (j: number, r: number): number => (j * width + r) * type.bytes;
  for (let r = 0; r < width; r += 2) {
    const pair = [loaded[r], loaded[r + 1]];
    if (type.lanes === 2) {
      for (let j = 0; j < 2; j++) a.get(target).get(pair[0]).get(pair[1]).shuffle(words(8, [j, 2 + j])).memory("v128.store", store(j, r));
      continue;
    }
    const halves = [[0, 4, 1, 5], [2, 6, 3, 7]].map((order) => {
      const v = a.local("v128");
      a.get(pair[0]).get(pair[1]).shuffle(words(4, order)).set(v);
      return v;
    });
    for (let j = 0; j < 4; j++) a.get(target).get(halves[j >> 1]).storeLane(64, j & 1, store(j, r));
  }
}

/** The bytes of a shuffle that picks words of `bytes` bytes. */
const words = (bytes: number, order: readonly number[]): number[] => order.flatMap((word) => Array.from({ length: bytes }, (_, i) => word * bytes + i));
