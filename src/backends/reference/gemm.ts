/** Products of matrices that lie in the heap. Floats are summed in double precision whatever their dtype. */
import { FLOAT, int64, type DType } from "../../tensor/dtype.ts";
import { heapAs } from "../../tensor/read.ts";

/** Where a matrix lies, in elements: its first one counted from the start of the heap, and the steps to the next row and column. */
export interface Matrix {
  at: number;
  row: number;
  column: number;
}

/** Out = alpha · A · B + beta · out for A of m × k, B of k × n and a row-major out of m × n at element `out`. */
export interface Product {
  m: number;
  n: number;
  k: number;
  a: Matrix;
  b: Matrix;
  out: number;
  alpha: number;
  /** Where it is 0, what `out` held does not matter, not even a NaN. */
  beta: number;
}

type Floats = Float32Array | Float64Array;
type Ints = Int8Array | Int16Array | Int32Array | Uint8Array;

/** Runs a product of matrices of one dtype; integers wrap around. */
export function gemm(dtype: DType, product: Product): void {
  const data = heapAs(dtype);
  if (dtype === int64) multiplyBigInts(data as BigInt64Array, product);
  else if (dtype.kind !== FLOAT) multiplyInts(data as Ints, product);
  else if (product.n === 1) multiplyVector(data as Floats, product);
  else if (product.m === 1) multiplyVector(data as Floats, transposed(product));
  else if (product.m * product.n * product.k <= 64) multiplyPlainly(data as Floats, product);
  else multiplyTiles(data as Floats, product);
}

/** The product of the transposes in reverse, for which a row vector is a column. */
function transposed({ m, n, k, a, b, out, alpha, beta }: Product): Product {
  return { m: n, n: m, k, a: flipped(b), b: flipped(a), out, alpha, beta };
}

const flipped = ({ at, row, column }: Matrix): Matrix => ({ at, row: column, column: row });

function store(data: Floats, at: number, sum: number, alpha: number, beta: number): void {
  data[at] = beta === 0 ? alpha * sum : alpha * sum + beta * data[at];
}

/** Tiny products, which packing would only slow down. */
function multiplyPlainly(data: Floats, { m, n, k, a, b, out, alpha, beta }: Product): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += data[a.at + i * a.row + p * a.column] * data[b.at + p * b.row + j * b.column];
      store(data, out + i * n + j, sum, alpha, beta);
    }
  }
}

/** A matrix times a column, walking the matrix in the order in which it lies. */
function multiplyVector(data: Floats, { m, k, a, b, out, alpha, beta }: Product): void {
  if (a.column <= a.row || m === 1) {
    for (let i = 0; i < m; i++) {
      let sum = 0;
      for (let p = 0, x = a.at + i * a.row, y = b.at; p < k; p++, x += a.column, y += b.row) sum += data[x] * data[y];
      store(data, out + i, sum, alpha, beta);
    }
    return;
  }
  const sums = scratch(m).fill(0, 0, m);
  for (let p = 0; p < k; p++) {
    const factor = data[b.at + p * b.row];
    for (let i = 0, x = a.at + p * a.column; i < m; i++, x += a.row) sums[i] += data[x] * factor;
  }
  for (let i = 0; i < m; i++) store(data, out + i, sums[i], alpha, beta);
}

/** Rows and columns of a tile: as many sums as fit in the registers. */
const TILE = 3;
const tile = new Float64Array(TILE * TILE);

function multiplyTiles(data: Floats, { m, n, k, a, b, out, alpha, beta }: Product): void {
  const rows = Math.ceil(m / TILE) * TILE;
  const columns = Math.ceil(n / TILE) * TILE;
  const packed = scratch((rows + columns) * k);
  pack(packed, 0, data, m, k, a);
  pack(packed, rows * k, data, n, k, flipped(b));
  for (let i = 0; i < m; i += TILE) {
    for (let j = 0; j < n; j += TILE) {
      multiplyTile(packed, i * k, (rows + j) * k, k);
      const height = Math.min(TILE, m - i);
      const width = Math.min(TILE, n - j);
      for (let r = 0; r < height; r++) {
        for (let c = 0; c < width; c++) store(data, out + (i + r) * n + j + c, tile[r * TILE + c], alpha, beta);
      }
    }
  }
}

/** Copies rows in groups of a tile's height, the group's elements of one column side by side, zeros where rows are missing. */
function pack(packed: Float64Array, to: number, data: Floats, rows: number, k: number, { at, row, column }: Matrix): void {
  for (let i = 0; i < rows; i += TILE) {
    for (let r = 0; r < TILE; r++) {
      const missing = i + r >= rows;
      for (let p = 0, x = at + (i + r) * row, y = to + i * k + r; p < k; p++, x += column, y += TILE) packed[y] = missing ? 0 : data[x];
    }
  }
}

function multiplyTile(packed: Float64Array, x: number, y: number, k: number): void {
  let s00 = 0, s01 = 0, s02 = 0, s10 = 0, s11 = 0, s12 = 0, s20 = 0, s21 = 0, s22 = 0;
  for (let p = 0; p < k; p++, x += TILE, y += TILE) {
    const x0 = packed[x], x1 = packed[x + 1], x2 = packed[x + 2];
    const y0 = packed[y], y1 = packed[y + 1], y2 = packed[y + 2];
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
  }
  tile[0] = s00;
  tile[1] = s01;
  tile[2] = s02;
  tile[3] = s10;
  tile[4] = s11;
  tile[5] = s12;
  tile[6] = s20;
  tile[7] = s21;
  tile[8] = s22;
}

/** Integers of up to 32 bits: sums modulo 2³² hold the lower bits exactly. */
function multiplyInts(data: Ints, { m, n, k, a, b, out, alpha, beta }: Product): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0, x = a.at + i * a.row, y = b.at + j * b.column; p < k; p++, x += a.column, y += b.row) sum = (sum + Math.imul(data[x], data[y])) | 0;
      const at = out + i * n + j;
      data[at] = Math.imul(alpha, sum) + (beta === 0 ? 0 : Math.imul(beta, data[at]));
    }
  }
}

function multiplyBigInts(data: BigInt64Array, { m, n, k, a, b, out, alpha, beta }: Product): void {
  const [scale, keep] = [BigInt(Math.trunc(alpha)), BigInt(Math.trunc(beta))];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0n;
      for (let p = 0, x = a.at + i * a.row, y = b.at + j * b.column; p < k; p++, x += a.column, y += b.row) sum = BigInt.asIntN(64, sum + data[x] * data[y]);
      const at = out + i * n + j;
      data[at] = scale * sum + keep * data[at];
    }
  }
}

const kept = new Float64Array(1 << 16);

/** Scratch for one product; what it holds at first is left over from earlier ones. */
function scratch(length: number): Float64Array {
  return length <= kept.length ? kept : new Float64Array(length);
}
