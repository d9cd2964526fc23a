/** The innermost kernel of a product: a tile of sums that stays in registers while it runs along packed panels. */
import { Assembler, type WasmFunction } from "./assembler.ts";
import { multiplyAdd, TILE_ROWS, TILE_VECTORS, whileTrue, type FloatType } from "./gemm-code.ts";

/**
 * The function (a, b0, b1, distances, depth, out, row, alpha, beta, keep): out = alpha · a · b, and beta · out added where `keep`
 * is set, for a packed panel of rows at `a`, two vectors of columns at `b0` and `b1`, whose depths lie at the distances in a table,
 * and an output of whole vectors whose rows are `row` bytes apart.
 */
export function tileFunction(type: FloatType, rows: number): WasmFunction {
  const [a, b0, b1, distances, depth, out, row, alpha, beta, keep] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const code = new Assembler(10);
  const sums = Array.from({ length: rows }, () => Array.from({ length: TILE_VECTORS }, () => code.local("v128")));
  const columns = Array.from({ length: TILE_VECTORS }, () => code.local("v128"));
  const [factor, distance] = [code.local("v128"), code.local("i32")];
  const splat = type.bytes === 4 ? "v128.load32_splat" : "v128.load64_splat";

  // One depth a round: engines that move loads to the front of a round would run out of registers with more.
  whileTrue(code, () => code.get(depth), () => {
    code.get(distances).memory("i32.load").set(distance);
    [b0, b1].forEach((b, v) => code.get(b).get(distance).op("i32.add").memory("v128.load").set(columns[v]));
    for (let r = 0; r < rows; r++) {
      code.get(a).memory(splat, r * type.bytes).set(factor);
      sums[r].forEach((sum, v) => multiplyAdd(code, type, () => code.get(factor).get(columns[v]), sum));
    }
    code.get(a).i32(TILE_ROWS * type.bytes).op("i32.add").set(a);
    code.get(distances).i32(4).op("i32.add").set(distances);
    code.get(depth).i32(1).op("i32.sub").set(depth);
  });

  const eachSum = (body: (sum: number, offset: number) => void): void =>
    sums.forEach((vectors) => {
      vectors.forEach((sum, v) => body(sum, 16 * v));
      code.get(out).get(row).op("i32.add").set(out);
    });
  sums.flat().forEach((sum) => code.get(sum).get(alpha).op(`${type.shape}.splat`).op(`${type.shape}.mul`).set(sum));
  code.get(keep).when(() => {
    eachSum((sum, offset) => multiplyAdd(code, type, () => code.get(out).memory("v128.load", offset).get(beta).op(`${type.shape}.splat`), sum));
    code.get(out).get(row).i32(rows).op("i32.mul").op("i32.sub").set(out);
  });
  eachSum((sum, offset) => code.get(out).get(sum).memory("v128.store", offset));
  return { name: `tile${rows}`, parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32", type.name, type.name, "i32"], results: [], body: code };
}
