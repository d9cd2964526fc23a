/** Products of matrices that lie in the heap: the definition. Floats are summed in double precision whatever their dtype. */
import { FLOAT, int64, type DType } from "../../tensor/dtype.ts";
import { heapAs } from "../../tensor/read.ts";
import { offsetsOf, targetOf, type Product, type Target } from "../product.ts";

type Floats = Float32Array | Float64Array;
type Ints = Int8Array | Int16Array | Int32Array | Uint8Array;

/** Where the elements of one matrix of the batch lie, counted in the heap. */
interface Placed {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly at: number;
}

/** The sum of products of a row and a column, and what becomes of it and of what `out` held, for the kinds of dtypes. */
interface Arithmetic<E, Data> {
  sum(data: Data, a: Placed, i: number, b: Placed, j: number): E;
  scaled(sum: E, alpha: number, beta: number, old: E): E;
}

const floats: Arithmetic<number, Floats> = {
  sum: (data, a, i, b, j) => {
    let sum = 0;
    for (let p = 0, x = a.at + a.rows[i], y = b.at + b.columns[j]; p < b.rows.length; p++) sum += data[x + a.columns[p]] * data[y + b.rows[p]];
    return sum;
  },
  scaled: (sum, alpha, beta, old) => (beta === 0 ? alpha * sum : alpha * sum + beta * old),
};

/** Integers of up to 32 bits: sums modulo 2³² hold the lower bits exactly. */
const ints: Arithmetic<number, Ints> = {
  sum: (data, a, i, b, j) => {
    let sum = 0;
    for (let p = 0, x = a.at + a.rows[i], y = b.at + b.columns[j]; p < b.rows.length; p++) sum = (sum + Math.imul(data[x + a.columns[p]], data[y + b.rows[p]])) | 0;
    return sum;
  },
  scaled: (sum, alpha, beta, old) => Math.imul(alpha, sum) + Math.imul(beta, old),
};

const bigInts: Arithmetic<bigint, BigInt64Array> = {
  sum: (data, a, i, b, j) => {
    let sum = 0n;
    for (let p = 0, x = a.at + a.rows[i], y = b.at + b.columns[j]; p < b.rows.length; p++) sum = BigInt.asIntN(64, sum + data[x + a.columns[p]] * data[y + b.rows[p]]);
    return sum;
  },
  scaled: (sum, alpha, beta, old) => BigInt(Math.trunc(alpha)) * sum + BigInt(Math.trunc(beta)) * old,
};

/** Runs a product of matrices of one dtype; integers wrap around. */
export function multiply(dtype: DType, product: Product): void {
  const data = heapAs(dtype);
  if (dtype === int64) multiplyWith(bigInts, data as BigInt64Array, product);
  else if (dtype.kind === FLOAT) multiplyWith(floats, data as Floats, product);
  else multiplyWith(ints, data as Ints, product);
}

function multiplyWith<E, Data extends Floats | Ints | BigInt64Array>(arithmetic: Arithmetic<E, Data>, data: Data, product: Product): void {
  const { a, b, out, alpha, beta } = product;
  const elements = data as unknown as E[];
  const first = ({ storage, offset }: Target): number => storage.address / data.BYTES_PER_ELEMENT + offset;
  const [batchA, batchB] = [offsetsOf(a.batch), offsetsOf(b.batch)];
  const left = { rows: offsetsOf(a.rows), columns: offsetsOf(a.columns), at: 0 };
  const right = { rows: offsetsOf(b.rows), columns: offsetsOf(b.columns), at: 0 };
  const { batch, row } = targetOf(product);
  const batchOut = offsetsOf(batch);
  for (let g = 0; g < batchA.length; g++) {
    left.at = first(a) + batchA[g];
    right.at = first(b) + batchB[g];
    for (let i = 0; i < left.rows.length; i++) {
      for (let j = 0, at = first(out) + batchOut[g] + i * row; j < right.columns.length; j++, at++) elements[at] = arithmetic.scaled(arithmetic.sum(data, left, i, right, j), alpha, beta, elements[at]);
    }
  }
}

/** Where one matrix of a small product starts in the heap, and the steps between its rows and its columns, all in elements. */
export interface Strided {
  readonly at: number;
  readonly row: number;
  readonly column: number;
}

/** The same for a few floats, where setting more up than this would cost more than the sums. `out` is where the row-major output starts. */
export function multiplySmall(dtype: DType, m: number, n: number, k: number, a: Strided, b: Strided, out: number, alpha: number, beta: number): void {
  const data = heapAs(dtype) as Floats;
  for (let i = 0, at = out; i < m; i++) {
    for (let j = 0; j < n; j++, at++) {
      let sum = 0;
      for (let p = 0, x = a.at + i * a.row, y = b.at + j * b.column; p < k; p++, x += a.column, y += b.row) sum += data[x] * data[y];
      data[at] = floats.scaled(sum, alpha, beta, data[at]);
    }
  }
}
